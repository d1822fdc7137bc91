package dev.sluice.io.transfer;

import java.lang.foreign.MemorySegment;

/// Between the caller's memory and an end: one copy, nothing held. Serves [Method#READ] and [Method#WRITE].
final class MemoryMover extends Mover {
    MemoryMover(Flow flow) {
        super(flow, flow.source.kind() == Endpoint.Kind.MEMORY ? Method.WRITE : Method.READ);
    }

    @Override
    Flow.Step step(long wanted) {
        long length = flow.callBytes(wanted);
        if (flow.sink instanceof Endpoint.Memory(MemorySegment segment)) {
            long n = flow.read(segment.asSlice(flow.taken, length));
            if (n == 0) {
                return Flow.Step.SOURCE_ENDED;
            }
            if (n < 0) {
                return flow.read(n, flow.readCall());
            }
            flow.taken += n;
            flow.delivered += n;
            return Flow.Step.MOVED;
        }
        MemorySegment segment = ((Endpoint.Memory) flow.source).segment();
        long n = flow.write(segment.asSlice(flow.taken, length));
        if (n <= 0) {
            return flow.written(n, flow.writeCall());
        }
        flow.taken += n;
        flow.delivered += n;
        return Flow.Step.MOVED;
    }

    @Override
    boolean isRefusal(int errno) {
        return false;
    }

    @Override
    public void close() {
        // holds nothing
    }
}
