package dev.sluice.cli.compare;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Account.Count;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.seal.Sealer;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure.Counted;
import dev.sluice.io.transfer.Figure.Derived;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// What sendfile can't do: the bytes are encrypted on their way, so they have to come into the program. A segment of
/// the sealed stream is as long as a piece.
record SealedWay(Direction direction) implements Way {
    private static final long CONNECT_NS = TimeUnit.SECONDS.toNanos(20);

    /// What is opened again to be checked lies in memory.
    static final long MOST_OPENED_BYTES = 64L << 20;

    /// Any key will do: nobody keeps what is sealed here.
    private static final byte[] KEY = new byte[Sealer.KEY_BYTES];

    /// Bytes to encrypt until C2 has compiled the cipher; before, it is forty times as slow.
    private static final int WARM_UP_ROUNDS = 256;

    private static final int WARM_UP_BYTES = 1 << 20;
    private static final AtomicBoolean WARM = new AtomicBoolean();

    static List<Way> all(Direction direction) {
        return direction == Direction.FILE_TO_SOCKET || direction == Direction.FILE_TO_FILE
                ? List.of(new SealedWay(direction))
                : List.of();
    }

    @Override
    public Family family() {
        return Family.SLUICE;
    }

    @Override
    public String name() {
        return "read+encrypt+write";
    }

    @Override
    public boolean hasPieces() {
        return false; // one length of segment for all of a picture's lines: its own
    }

    @Override
    public long arrivingBytes(long lengthBytes) {
        return Sealer.sealedBytes(lengthBytes, Sealer.DEFAULT_SEGMENT_BYTES);
    }

    private static void warmUp(Sealer sealer) throws IOException {
        if (WARM.compareAndSet(false, true)) {
            try (Arena arena = Arena.ofConfined()) {
                Endpoint source = new Endpoint.Memory(arena.allocate(WARM_UP_BYTES));
                Endpoint sink = new Endpoint.Memory(arena.allocate(2L * WARM_UP_BYTES));
                for (int i = 0; i < WARM_UP_ROUNDS; i++) {
                    sealer.seal(source, sink);
                }
            }
        }
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        Account account = Account.root("sealed");
        Kernel counting = job.kernel().tallying(account);
        try (Sealer sealer = new Sealer(counting, KEY, new SecureRandom());
                Endpoint.File whole = Endpoint.openSource(
                        job.kernel(), job.source(), job.kernel().account());
                Endpoint sink = direction == Direction.FILE_TO_SOCKET
                        ? Endpoint.connect(
                                job.kernel(),
                                job.peer(),
                                true,
                                CONNECT_NS,
                                job.kernel().account())
                        : Endpoint.openSink(
                                job.kernel(), job.sink(), false, job.kernel().account())) {
            Endpoint source = new Endpoint.File(whole.descriptor(), job.position());
            warmUp(sealer);
            meter.start();
            long sealed = sealer.seal(source, sink, job.lengthBytes(), Sealer.DEFAULT_SEGMENT_BYTES);
            meter.stop();
            if (sealed != job.lengthBytes()) {
                throw new EOFException("the file ended after " + sealed + " of " + job.lengthBytes() + " bytes");
            }
        }
        long calls =
                account.snapshot().values().stream().mapToLong(Count::calls).sum();
        String basis =
                "page cache to buffer, buffer to array, encrypted into another, array to buffer, buffer to kernel";
        return new Cost(
                new Counted("system calls", calls, "calls"),
                new Derived("mode switches", 2.0 * calls, "switches", "two for each system call"),
                new Derived("CPU copies", 5, "copies/byte", basis),
                new Derived("DMA copies", 1 - job.cachedShare(), "copies/byte", "the disk, for what was not cached"),
                "AES-256-GCM; " + Sealer.DEFAULT_SEGMENT_BYTES / 1024 + " KiB segments");
    }

    /// What a file that this way has written contains, opened again.
    static Checksums opened(Kernel kernel, Path sealed, long lengthBytes) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Sealer sealer = new Sealer(kernel, KEY, new SecureRandom());
                Endpoint source = Endpoint.openSource(kernel, sealed, kernel.account())) {
            MemorySegment plain = arena.allocate(Math.max(1, lengthBytes));
            sealer.open(source, new Endpoint.Memory(plain));
            return Checksums.of(plain.asSlice(0, lengthBytes));
        }
    }
}
