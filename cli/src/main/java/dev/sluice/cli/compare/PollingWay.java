package dev.sluice.cli.compare;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Account.Count;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.CopyModel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure.Counted;
import dev.sluice.io.transfer.Figure.Derived;
import dev.sluice.io.transfer.Method;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Receiving as programs did before interrupts: instead of sleeping until bytes are there it asks, again and again,
/// whether they are. Stands beside `recv+write`, which blocks: what the waiting saves in switches between threads, it
/// burns.
record PollingWay(Direction direction) implements Way {
    private static final long PAGE_BYTES = 4096;
    private static final long IDLE_NS = TimeUnit.SECONDS.toNanos(20);

    static List<Way> all(Direction direction) {
        return direction == Direction.SOCKET_TO_FILE ? List.of(new PollingWay(direction)) : List.of();
    }

    @Override
    public Family family() {
        return Family.SLUICE;
    }

    @Override
    public String name() {
        return "recv+write, polling";
    }

    @Override
    public boolean hasPieces() {
        return true;
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        Account account = Account.root("polling");
        Kernel kernel = job.kernel().tallying(account);
        long asked = 0;
        try (Arena arena = Arena.ofConfined();
                Endpoint.Socket source = Endpoint.connect(kernel, job.peer(), false, IDLE_NS, account);
                Endpoint.File sink = Endpoint.openSink(kernel, job.sink(), false, account)) {
            Descriptor socket = source.descriptor();
            Descriptor file = sink.descriptor();
            MemorySegment piece = arena.allocate(job.pieceBytes(), PAGE_BYTES);
            long opening = calls(account);
            meter.start();
            long heardNs = System.nanoTime();
            for (long done = 0; done < job.lengthBytes(); ) {
                long n = kernel.sockets()
                        .recv(socket, piece.asSlice(0, Math.min(job.pieceBytes(), job.lengthBytes() - done)), 0);
                if (n == -Errno.EAGAIN) {
                    asked++;
                    Thread.onSpinWait();
                    if (System.nanoTime() - heardNs > IDLE_NS) {
                        throw new IOException("nothing came for 20 s");
                    }
                    continue;
                }
                if (n == 0) {
                    throw new EOFException("the other side ended after " + done + " bytes");
                }
                ErrnoException.check(n, Call.RECV, socket.name());
                ErrnoException.check(
                        kernel.files().pwriteFully(file, piece.asSlice(0, n), done), Call.PWRITE, file.name());
                done += n;
                heardNs = System.nanoTime();
            }
            meter.stop();
            long calls = calls(account) - opening;
            List<Hop> hops = CopyModel.hops(
                    Method.READ_WRITE,
                    new Circumstances(Endpoint.Kind.SOCKET, Endpoint.Kind.FILE, 1, job.path(), job.path(), 0, 1));
            return new Cost(
                    new Counted("system calls", calls, "calls"),
                    new Derived("mode switches", 2.0 * calls, "switches", "two for each system call"),
                    new Derived("CPU copies", CopyModel.cpuCopies(hops), "copies/byte", "CopyModel"),
                    new Derived("DMA copies", CopyModel.dmaCopies(hops), "copies/byte", "CopyModel"),
                    String.format(
                            Locale.ROOT, "%.0f%% of its calls found nothing", 100.0 * asked / Math.max(1, calls)));
        }
    }

    private static long calls(Account account) {
        return account.snapshot().values().stream().mapToLong(Count::calls).sum();
    }
}
