package dev.sluice.cli;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Cancellation;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/// One transfer as a command: planned, with a bar where somebody watches, stopped by signals, told in one line. Used by
/// one thread.
final class Moving {
    /// A peer that takes or gives nothing for so long is gone.
    static final long IDLE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);

    private final Surroundings surroundings;
    private final Cancellation cancellation = new Cancellation();
    private final AtomicInteger stopCode = new AtomicInteger();
    private volatile boolean moving;

    /// From now on signals stop the transfer; while none runs they end the process at once.
    Moving(Surroundings surroundings) {
        this.surroundings = surroundings;
        surroundings.signals().onStop(exitCode -> {
            stopCode.set(exitCode);
            cancellation.cancel();
            return moving;
        });
    }

    /// Moves the bytes, then says in one line how.
    ///
    /// @param past         `copied`, `sent`, `received`
    /// @param presentBytes what was there before
    /// @param lengthBytes  what is left to move; 0 for nothing
    /// @param next         how to go on if it is stopped
    void run(
            Kernel kernel,
            String past,
            Endpoint source,
            Endpoint sink,
            long presentBytes,
            long lengthBytes,
            String next)
            throws CommandFailure, ErrnoException {
        if (lengthBytes == 0) {
            surroundings.err().println(past + (presentBytes == 0 ? " 0 B" : " nothing more: all of it was there"));
            return;
        }
        long startNs = System.nanoTime();
        moving = true;
        try (Transfers transfers = new Transfers(kernel);
                Progress progress = surroundings.errIsTerminal()
                        ? ProgressOnTerminal.start(past, presentBytes + lengthBytes)
                        : Progress.NONE) {
            progress.advance(presentBytes);
            TransferOptions options = TransferOptions.DEFAULT
                    .withCancellation(cancellation)
                    .withIdleTimeoutNs(
                            source instanceof Endpoint.File && sink instanceof Endpoint.File ? 0 : IDLE_TIMEOUT_NS)
                    .withListener(new Advancing(progress));
            TransferAccount account;
            try (Transfer transfer = transfers.begin(source, sink, lengthBytes, options)) {
                transfer.run();
                account = transfer.account();
            }
            progress.close();
            surroundings.err().println(line(past, account, presentBytes, System.nanoTime() - startNs));
        } catch (TransferException e) {
            if (e.failure() == TransferException.Failure.CANCELLED) {
                throw CommandFailure.stopped(
                        stopCode.get(),
                        "stopped after " + HumanFormat.bytes(presentBytes + e.deliveredBytes()) + " of "
                                + HumanFormat.bytes(presentBytes + lengthBytes) + "; " + next,
                        e);
            }
            throw CommandFailure.failed(e.getMessage() + "; " + next, e);
        } finally {
            moving = false;
        }
    }

    /// `copied 1.00 GiB in 0.42 s, 2.4 GiB/s; read+write: large pieces …; not reflink: FICLONE said EOPNOTSUPP`.
    static String line(String past, TransferAccount account, long presentBytes, long elapsedNs) {
        long moved = account.deliveredBytes().value();
        String text = past + " " + HumanFormat.bytes(moved) + " in " + HumanFormat.duration(Duration.ofNanos(elapsedNs))
                + ", " + HumanFormat.bytes(moved * 1e9 / Math.max(1, elapsedNs)) + "/s";
        if (presentBytes > 0) {
            text += ", after the " + HumanFormat.bytes(presentBytes) + " that were there";
        }
        text += "; " + account.plan();
        if (!account.fallbacks().isEmpty()) {
            text += "; "
                    + account.fallbacks().stream()
                            .map(back -> "went on with " + back.to().label() + ", for " + back.why())
                            .collect(Collectors.joining("; "));
        }
        return text;
    }

    /// Tells a bar, which wants steps, how far a transfer is in all.
    private static final class Advancing implements TransferOptions.Listener {
        private final Progress progress;
        private long told;

        Advancing(Progress progress) {
            this.progress = progress;
        }

        @Override
        public void moved(long deliveredBytes, long lengthBytes) {
            progress.advance(deliveredBytes - told);
            told = deliveredBytes;
        }
    }
}
