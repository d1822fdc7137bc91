package dev.sluice.cli;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Cancellation;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Bytes on their way as a command: with a bar where somebody watches, stopped by signals, told in one line. Used by
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

    /// What moves the bytes.
    @FunctionalInterface
    interface Work {
        /// @param delivered to be told, as it grows, how many bytes this work has delivered
        /// @return by which way, in a few words
        /// @throws CancellationException when it was cancelled
        String move(Cancellation cancellation, LongConsumer delivered) throws IOException;
    }

    /// Moves bytes by the way that the planner picks, then says in one line which that was.
    ///
    /// @param past         `copied`, `sent`, `received`
    /// @param presentBytes what was there before
    /// @param lengthBytes  what is left to move; 0 for nothing
    /// @param next         how to go on if it is stopped
    void transfer(
            Kernel kernel,
            String past,
            Endpoint source,
            Endpoint sink,
            long presentBytes,
            long lengthBytes,
            String next)
            throws CommandFailure {
        if (lengthBytes == 0) {
            surroundings.err().println(past + (presentBytes == 0 ? " 0 B" : " nothing more: all of it was there"));
            return;
        }
        boolean betweenFiles = source instanceof Endpoint.File && sink instanceof Endpoint.File;
        run(past, presentBytes, lengthBytes, next, (stop, delivered) -> {
            TransferOptions options = TransferOptions.DEFAULT
                    .withCancellation(stop)
                    .withIdleTimeoutNs(betweenFiles ? 0 : IDLE_TIMEOUT_NS)
                    .withListener((deliveredBytes, _) -> delivered.accept(deliveredBytes));
            try (Transfers transfers = new Transfers(kernel);
                    Transfer transfer = transfers.begin(source, sink, lengthBytes, options)) {
                transfer.run();
                return how(transfer.account());
            } catch (TransferException e) {
                delivered.accept(e.deliveredBytes());
                if (e.failure() == TransferException.Failure.CANCELLED) {
                    throw new CancellationException();
                }
                throw e;
            }
        });
    }

    /// `read+write: large pieces …; not reflink: FICLONE said EOPNOTSUPP`.
    private static String how(TransferAccount account) {
        return Stream.concat(
                        Stream.of(account.plan().toString()),
                        account.fallbacks().stream()
                                .map(back -> "went on with " + back.to().label() + ", for " + back.why()))
                .collect(Collectors.joining("; "));
    }

    /// Moves the bytes, then says in one line how.
    ///
    /// @param past         `copied`, `sealed`
    /// @param presentBytes what was there before
    /// @param lengthBytes  what is left to move
    /// @param next         what to know, or do, if it is stopped or fails
    void run(String past, long presentBytes, long lengthBytes, String next, Work work) throws CommandFailure {
        long startNs = System.nanoTime();
        moving = true;
        Delivered delivered = new Delivered();
        try (Progress progress = surroundings.errIsTerminal()
                ? ProgressOnTerminal.start(past, presentBytes + lengthBytes)
                : Progress.NONE) {
            progress.advance(presentBytes);
            String how = work.move(cancellation, bytes -> progress.advance(delivered.advanceTo(bytes)));
            progress.close();
            surroundings
                    .err()
                    .println(line(past, delivered.bytes, presentBytes, System.nanoTime() - startNs) + "; " + how);
        } catch (CancellationException e) {
            throw CommandFailure.stopped(
                    stopCode.get(),
                    "stopped after " + HumanFormat.bytes(presentBytes + delivered.bytes) + " of "
                            + HumanFormat.bytes(presentBytes + lengthBytes) + "; " + next,
                    e);
        } catch (IOException e) {
            throw CommandFailure.failed(e.getMessage() + "; " + next, e);
        } finally {
            moving = false;
        }
    }

    /// `copied 1.00 GiB in 0.42 s, 2.4 GiB/s`.
    private static String line(String past, long moved, long presentBytes, long elapsedNs) {
        String text = past + " " + HumanFormat.bytes(moved) + " in " + HumanFormat.duration(Duration.ofNanos(elapsedNs))
                + ", " + HumanFormat.bytes(moved * 1e9 / Math.max(1, elapsedNs)) + "/s";
        return presentBytes == 0 ? text : text + ", after the " + HumanFormat.bytes(presentBytes) + " that were there";
    }

    /// How far the work is; a bar wants the steps.
    private static final class Delivered {
        private long bytes;

        long advanceTo(long now) {
            long step = now - bytes;
            bytes = now;
            return step;
        }
    }
}
