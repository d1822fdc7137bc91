package dev.sluice.io.direct;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.FileQueues;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.support.SwitchGate;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/// A queue of either kind and its pool, for tests of what stands on them. Closing it asserts that nothing is left.
public final class DirectFileFixture implements AutoCloseable {
    public static final int BUFFER_BYTES = 16 << 10;

    public final SwitchGate gate = new SwitchGate();
    public final Kernel kernel = new Kernel(gate);
    public final Account account = Account.root("test");
    public final QueueConfig.Engine engine;
    public final BufferPool pool;
    public final FileQueue queue;
    private final Leaks leaks = new Leaks(kernel);
    private final int buffers;

    public DirectFileFixture(QueueConfig.Engine engine) throws Exception {
        this(engine, 20);
    }

    public DirectFileFixture(QueueConfig.Engine engine, int buffers) throws Exception {
        this.engine = engine;
        this.buffers = buffers;
        this.pool = BufferPool.open(kernel, new BufferPool.Shape(buffers, BUFFER_BYTES, true));
        this.queue = FileQueues.open(kernel, pool, QueueConfig.ofDepth(8).on(engine), account);
    }

    public DirectFile open(Path path, DirectFile.Access access) throws Exception {
        return DirectFile.open(kernel, queue, pool, path, access, account);
    }

    public boolean isWrite(Call call) {
        return switch (call) {
            case RING_WRITE, RING_WRITE_FIXED, PWRITEV2 -> true;
            default -> false;
        };
    }

    public boolean isRead(Call call) {
        return switch (call) {
            case RING_READ, RING_READ_FIXED, PREADV2 -> true;
            default -> false;
        };
    }

    public boolean isSync(Call call) {
        return switch (call) {
            case RING_FSYNC, FSYNC, FDATASYNC -> true;
            default -> false;
        };
    }

    public long calls(java.util.function.Predicate<Call> which) {
        return account.snapshot().entrySet().stream()
                .filter(entry -> which.test(entry.getKey()))
                .mapToLong(entry -> entry.getValue().calls())
                .sum();
    }

    public static MemorySegment bytes(int length, int value) {
        byte[] array = new byte[length];
        java.util.Arrays.fill(array, (byte) value);
        return MemorySegment.ofArray(array);
    }

    public static byte[] read(DirectFile file, long position, int length) throws Exception {
        byte[] target = new byte[length];
        long count = file.read(MemorySegment.ofArray(target), position);
        return java.util.Arrays.copyOf(target, (int) count);
    }

    public static byte at(MemorySegment memory, long position) {
        return memory.get(ValueLayout.JAVA_BYTE, position);
    }

    @Override
    public void close() throws Exception {
        gate.open();
        queue.close();
        assertThat(pool.freeCount()).as("buffers that came back").isEqualTo(buffers);
        pool.close();
        leaks.assertNone();
        leaks.assertNoMaps(account);
    }
}
