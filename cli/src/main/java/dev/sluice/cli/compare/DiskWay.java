package dev.sluice.cli.compare;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.FileQueues;
import dev.sluice.io.async.PinningException;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.cache.BlockCache;
import dev.sluice.io.cache.CacheConfig;
import dev.sluice.io.cache.CachedFile;
import dev.sluice.io.direct.DirectFile;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.CopyModel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure;
import dev.sluice.io.transfer.Figure.Counted;
import dev.sluice.io.transfer.Figure.Derived;
import dev.sluice.io.transfer.Method;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// Ways between a file and memory: through the page cache, past it (O_DIRECT, on io_uring, one or sixteen operations
/// at once, from memory that is pinned once or for each operation), and through a cache of our own. What was written is
/// forced to the device before the end of the measurement, whatever the way.
record DiskWay(Direction direction, Kind kind) implements Way {
    /// A megabyte of blocks of the cache; sixteen reads ahead fit.
    private static final int CACHE_BLOCK_BYTES = 128 << 10;

    private static final int CACHE_BLOCKS = 256;
    private static final int PAGE_BYTES = 4096;

    /// Which way.
    enum Kind {
        PAGE_CACHE("page cache", 0, false),
        CHANNEL("FileChannel, direct buffer", 0, false),
        DIRECT_1("direct, depth 1", 1, false),
        DIRECT_1_REGISTERED("direct, depth 1, registered", 1, true),
        DIRECT_1_POLLED("direct, depth 1, polled", 1, false),
        DIRECT_16("direct, depth 16", 16, false),
        DIRECT_16_REGISTERED("direct, depth 16, registered", 16, true),
        CACHED("block cache on direct", 16, true);

        private final String label;
        private final int depth;
        private final boolean registered;

        Kind(String label, int depth, boolean registered) {
            this.label = label;
            this.depth = depth;
            this.registered = registered;
        }
    }

    static List<Way> all(Direction direction) {
        List<Way> ways = new ArrayList<>();
        if (direction == Direction.FILE_TO_MEMORY || direction == Direction.MEMORY_TO_FILE) {
            for (Kind kind : Kind.values()) {
                // A polled queue takes no syncs, so what it wrote couldn't be forced to the device by it.
                if (kind != Kind.DIRECT_1_POLLED || direction == Direction.FILE_TO_MEMORY) {
                    ways.add(new DiskWay(direction, kind));
                }
            }
        }
        return ways;
    }

    @Override
    public Family family() {
        return kind == Kind.CHANNEL ? Family.JDK : Family.SLUICE;
    }

    @Override
    public String name() {
        return switch (kind) {
            case PAGE_CACHE -> isReading() ? "pread" : "pwrite, fdatasync";
            case CHANNEL -> isReading() ? kind.label : kind.label + ", force";
            case CACHED -> isReading() ? kind.label : kind.label + ", flush";
            default -> isReading() ? kind.label : kind.label + ", fdatasync";
        };
    }

    @Override
    public boolean hasPieces() {
        return true;
    }

    @Override
    public boolean usesPageCache() {
        return kind.depth == 0;
    }

    @Override
    public boolean isSwept() {
        return isReading()
                && switch (kind) {
                    case DIRECT_1_REGISTERED, DIRECT_16_REGISTERED, DIRECT_1_POLLED -> false;
                    default -> true;
                };
    }

    /// What a piece of this size comes to: direct ones are whole pages.
    int pieceBytes(int wantedBytes) {
        return kind.depth > 0 && kind != Kind.CACHED ? (wantedBytes + PAGE_BYTES - 1) & -PAGE_BYTES : wantedBytes;
    }

    private boolean isReading() {
        return direction == Direction.FILE_TO_MEMORY;
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        Account owner = Account.root("move");
        return switch (kind) {
            case PAGE_CACHE -> throughPageCache(job, meter, owner);
            case CHANNEL -> throughChannel(job, meter);
            default -> direct(job, meter, owner);
        };
    }

    private Cost throughPageCache(Job job, Meter meter, Account owner) throws IOException {
        Kernel kernel = job.kernel();
        try (Arena arena = Arena.ofConfined();
                Endpoint.File end = isReading()
                        ? Endpoint.openSource(kernel, job.source(), owner)
                        : Endpoint.openSink(kernel, job.sink(), false, owner)) {
            Descriptor file = end.descriptor();
            MemorySegment piece = arena.allocate(job.pieceBytes(), PAGE_BYTES);
            Stamped.fill(piece);
            long before = calls(owner);
            meter.start();
            for (long done = 0; done < job.lengthBytes(); ) {
                MemorySegment part = piece.asSlice(0, Math.min(job.pieceBytes(), job.lengthBytes() - done));
                if (isReading()) {
                    long n = ErrnoException.check(
                            kernel.files().pread(file, part, job.position() + done), Call.PREAD, file.name());
                    ended(n);
                    job.keep(part.asSlice(0, n), done);
                    done += n;
                } else {
                    Stamped.stamp(part, done);
                    ErrnoException.check(kernel.files().pwriteFully(file, part, done), Call.PWRITE, file.name());
                    done += part.byteSize();
                }
            }
            if (!isReading()) {
                ErrnoException.check(kernel.files().fdatasync(file), Call.FDATASYNC, file.name());
            }
            meter.stop();
            return pageCacheCost(job, new Counted("system calls", calls(owner) - before, "calls"));
        }
    }

    private Cost throughChannel(Job job, Meter meter) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocateDirect(job.pieceBytes());
        MemorySegment piece = MemorySegment.ofBuffer(buffer);
        Stamped.fill(piece);
        try (FileChannel channel = isReading()
                ? FileChannel.open(job.source(), StandardOpenOption.READ)
                : FileChannel.open(job.sink(), StandardOpenOption.WRITE)) {
            long calls = 0;
            meter.start();
            for (long done = 0; done < job.lengthBytes(); ) {
                buffer.clear().limit((int) Math.min(job.pieceBytes(), job.lengthBytes() - done));
                if (isReading()) {
                    int n = channel.read(buffer, job.position() + done);
                    ended(n);
                    job.keep(piece.asSlice(0, n), done);
                    done += n;
                    calls++;
                } else {
                    Stamped.stamp(piece, done);
                    while (buffer.hasRemaining()) {
                        done += channel.write(buffer, done);
                        calls++;
                    }
                }
            }
            if (!isReading()) {
                channel.force(false);
                calls++;
            }
            meter.stop();
            return pageCacheCost(
                    job,
                    new Derived("system calls", calls, "calls", "one an invocation, as seen with strace on JDK 25"));
        }
    }

    private Cost pageCacheCost(Job job, Figure calls) {
        List<Hop> hops = isReading()
                ? CopyModel.hops(
                        Method.READ,
                        new Circumstances(
                                Endpoint.Kind.FILE,
                                Endpoint.Kind.MEMORY,
                                job.cachedShare(),
                                job.path(),
                                job.path(),
                                0,
                                1))
                : CopyModel.hops(Method.WRITE, Circumstances.usual(Endpoint.Kind.MEMORY, Endpoint.Kind.FILE));
        return cost(calls, CopyModel.cpuCopies(hops), CopyModel.dmaCopies(hops), "CopyModel");
    }

    private static Cost cost(Figure calls, double cpu, double dma, String basis) {
        return new Cost(
                calls,
                new Derived("mode switches", 2 * calls.number(), "switches", "two for each system call"),
                new Derived("CPU copies", cpu, "copies/byte", basis),
                new Derived("DMA copies", dma, "copies/byte", basis),
                "");
    }

    private Cost direct(Job job, Meter meter, Account owner) throws IOException {
        boolean cached = kind == Kind.CACHED;
        int bufferBytes = cached ? CACHE_BLOCK_BYTES : (job.pieceBytes() + PAGE_BYTES - 1) & -PAGE_BYTES;
        // Besides the blocks, as many as can be under way.
        int count = cached ? CACHE_BLOCKS + kind.depth : kind.depth + 1;
        QueueConfig interrupted = QueueConfig.ofDepth(kind.depth)
                .on(QueueConfig.Engine.RING)
                .with(kind.registered ? QueueConfig.Registration.REQUIRED : QueueConfig.Registration.NONE);
        QueueConfig config = kind == Kind.DIRECT_1_POLLED ? interrupted.polling() : interrupted;
        try (BufferPool pool = BufferPool.open(job.kernel(), new BufferPool.Shape(count, bufferBytes));
                FileQueue queue = FileQueues.open(job.kernel(), pool, config, owner);
                DirectFile file = DirectFile.open(
                        job.kernel(),
                        queue,
                        pool,
                        isReading() ? job.source() : job.sink(),
                        isReading() ? DirectFile.Access.READ : DirectFile.Access.READ_WRITE,
                        owner)) {
            long before;
            if (cached) {
                CacheConfig cache = CacheConfig.of(CACHE_BLOCKS, CACHE_BLOCK_BYTES);
                try (BlockCache blocks = new BlockCache(queue, pool, cache, System::nanoTime);
                        Arena arena = Arena.ofConfined()) {
                    CachedFile through = blocks.open(file);
                    MemorySegment piece = arena.allocate(job.pieceBytes(), PAGE_BYTES);
                    Stamped.fill(piece);
                    before = calls(owner);
                    meter.start();
                    throughCache(job, blocks, through, piece);
                    meter.stop();
                }
            } else {
                DirectPump pump = new DirectPump(job, queue, pool, file, isReading());
                before = calls(owner);
                meter.start();
                pump.run();
                meter.stop();
            }
            return cost(
                    new Counted("system calls", calls(owner) - before, "calls"),
                    cached ? 1 : 0,
                    1,
                    "iomap_dio_rw, blkdev_direct_IO: the device reads or writes the memory itself"
                            + (cached ? "; one copy between block and caller" : ""));
        } catch (PinningException e) {
            throw new Unavailable(String.valueOf(e.getMessage()), e);
        } catch (ErrnoException e) {
            if (isRefusal(e.errno())) {
                throw new Unavailable(String.valueOf(e.getMessage()), e);
            }
            throw e;
        }
    }

    private void throughCache(Job job, BlockCache blocks, CachedFile file, MemorySegment piece) throws IOException {
        for (long done = 0; done < job.lengthBytes(); ) {
            MemorySegment part = piece.asSlice(0, Math.min(piece.byteSize(), job.lengthBytes() - done));
            if (isReading()) {
                long n = file.read(part, job.position() + done);
                ended(n);
                job.keep(part.asSlice(0, n), done);
                done += n;
            } else {
                Stamped.stamp(part, done);
                file.write(part, done);
                blocks.poll();
                done += part.byteSize();
            }
        }
        if (!isReading()) {
            file.flush();
        }
    }

    private static boolean isRefusal(int errno) {
        return switch (errno) {
            case Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOSYS, Errno.EPERM -> true;
            default -> false;
        };
    }

    private static void ended(long n) throws EOFException {
        if (n <= 0) {
            throw new EOFException("the source ended too early");
        }
    }

    /// System calls counted so far; operations that ride on them aren't any.
    private static long calls(Account owner) {
        return owner.snapshot().entrySet().stream()
                .filter(entry -> entry.getKey().isSystemCall())
                .mapToLong(entry -> entry.getValue().calls())
                .sum();
    }
}
