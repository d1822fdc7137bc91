package dev.sluice.io.transfer;

import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.MappingPool;
import java.lang.foreign.MemorySegment;

/// Through a buffer of ours. The buffer is filled only when it is empty, so a call that was cut short costs a call and
/// no copy.
final class ReadWriteMover extends Mover {
    private final MappingPool pool;
    private final Mapping buffer;
    private final MemorySegment segment;
    private long start;
    private long end;

    ReadWriteMover(Flow flow, MappingPool pool, Mapping buffer) {
        super(flow, Method.READ_WRITE);
        this.pool = pool;
        this.buffer = buffer;
        this.segment = buffer.segment();
    }

    @Override
    Flow.Step step(long wanted) {
        if (start == end) {
            long room = Math.min(flow.callBytes(wanted), segment.byteSize());
            long n = flow.read(segment.asSlice(0, room));
            if (n == 0) {
                return Flow.Step.SOURCE_ENDED;
            }
            if (n < 0) {
                return flow.read(n, flow.readCall());
            }
            start = 0;
            end = n;
            flow.taken += n;
        }
        long n = flow.write(segment.asSlice(start, end - start));
        if (n <= 0) {
            return flow.written(n, flow.writeCall());
        }
        start += n;
        flow.delivered += n;
        return Flow.Step.MOVED;
    }

    @Override
    boolean isRefusal(int errno) {
        return false; // there is no simpler way
    }

    @Override
    public void close() {
        pool.give(buffer);
    }
}
