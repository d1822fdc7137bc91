package dev.sluice.cli.compare;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Account.Count;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.KernelTls;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure.Counted;
import dev.sluice.io.transfer.Figure.Derived;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// sendfile over a socket on which the kernel makes TLS records: encrypted without coming into the program. What
/// arrives are records, which the other side counts and doesn't open; `KernelTlsTest` opens them.
record KernelTlsWay(Direction direction) implements Way {
    private static final long CONNECT_NS = TimeUnit.SECONDS.toNanos(20);

    /// Of a record (RFC 8446, 5.1): plaintext, and what is put around it: head 5, type 1, tag 16.
    private static final int RECORD_BYTES = 16_384;

    private static final int AROUND_BYTES = 22;

    /// Whole records, so that no call ends within one.
    private static final long CALL_BYTES = 64L * RECORD_BYTES;

    private static final SecureRandom RANDOM = new SecureRandom();

    static List<Way> all(Direction direction) {
        return direction == Direction.FILE_TO_SOCKET ? List.of(new KernelTlsWay(direction)) : List.of();
    }

    @Override
    public Family family() {
        return Family.SLUICE;
    }

    @Override
    public String name() {
        return "sendfile, kernel TLS";
    }

    @Override
    public boolean hasPieces() {
        return false;
    }

    @Override
    public long arrivingBytes(long lengthBytes) {
        return lengthBytes + Math.ceilDiv(lengthBytes, RECORD_BYTES) * AROUND_BYTES;
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        Account account = Account.root("kernel TLS");
        Kernel kernel = job.kernel().tallying(account);
        byte[] key = new byte[KernelTls.KEY_BYTES];
        byte[] nonce = new byte[KernelTls.NONCE_BYTES];
        RANDOM.nextBytes(key);
        RANDOM.nextBytes(nonce);
        try (Arena arena = Arena.ofConfined();
                Endpoint.File source = Endpoint.openSource(kernel, job.source(), account);
                Endpoint.Socket sink = Endpoint.connect(kernel, job.peer(), true, CONNECT_NS, account)) {
            Descriptor socket = sink.descriptor();
            long attached = kernel.kernelTls().attach(socket);
            long given = attached < 0 ? attached : kernel.kernelTls().encrypt(socket, key, nonce, 0);
            if (given < 0) {
                throw new Unavailable(
                        given == -Errno.ENOENT
                                ? "this kernel has no TLS (modprobe tls, where there is such a module)"
                                : "the kernel's TLS said " + Errno.describe((int) -given),
                        new ErrnoException(Call.SETSOCKOPT, (int) -given, socket.name()));
            }
            MemorySegment scratch = arena.allocate(Long.BYTES, Long.BYTES);
            long opening = calls(account);
            meter.start();
            for (long done = 0; done < job.lengthBytes(); ) {
                long n = kernel.sockets()
                        .sendfile(
                                socket,
                                source.descriptor(),
                                job.position() + done,
                                Math.min(CALL_BYTES, job.lengthBytes() - done),
                                scratch);
                if (n == 0) {
                    throw new EOFException("the file ended after " + done + " of " + job.lengthBytes() + " bytes");
                }
                done += ErrnoException.check(n, Call.SENDFILE, socket.name());
            }
            meter.stop();
            long calls = calls(account) - opening;
            String basis = "tls_sw: encrypted from the page cache into records of its own, one pass";
            return new Cost(
                    new Counted("system calls", calls, "calls"),
                    new Derived("mode switches", 2.0 * calls, "switches", "two for each system call"),
                    new Derived("CPU copies", 1, "copies/byte", basis),
                    new Derived(
                            "DMA copies", 1 - job.cachedShare(), "copies/byte", "the disk, for what was not cached"),
                    "TLS 1.3 records, AES-256-GCM");
        }
    }

    private static long calls(Account account) {
        return account.snapshot().values().stream().mapToLong(Count::calls).sum();
    }
}
