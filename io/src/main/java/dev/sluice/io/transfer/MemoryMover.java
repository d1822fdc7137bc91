package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.memory.MappingPool;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Between the caller's memory and an end: one copy, of as many pieces in a call as the kernel takes. Serves
/// [Method#READ] and [Method#WRITE].
final class MemoryMover extends Mover {
    private final boolean filling;
    private final Gathering gathering;

    MemoryMover(Flow flow, MappingPool buffers) {
        super(flow, flow.source.kind() == Endpoint.Kind.MEMORY ? Method.WRITE : Method.READ);
        this.filling = flow.sink instanceof Endpoint.Memory;
        Endpoint.Memory memory = (Endpoint.Memory) (filling ? flow.sink : flow.source);
        this.gathering = new Gathering(flow.kernel, buffers, memory.pieces(), filling);
    }

    @Override
    Flow.Step step(long wanted) {
        try {
            gathering.select(flow.taken, filling ? flow.callBytes(wanted) : flow.writeBytes(flow.callBytes(wanted)));
        } catch (ErrnoException e) {
            return flow.fail(Flow.Side.EITHER, e.call(), -e.errno());
        }
        MemorySegment only = gathering.only();
        return filling ? read(only) : write(only);
    }

    private Flow.Step read(@Nullable MemorySegment only) {
        long n = only != null ? flow.read(only) : flow.read(gathering.vectors());
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            return flow.read(n, only != null ? flow.readCall() : Call.PREADV2);
        }
        gathering.filled(flow.taken, n);
        return moved(n);
    }

    private Flow.Step write(@Nullable MemorySegment only) {
        long n = only != null ? flow.write(only) : flow.write(gathering.vectors());
        if (n <= 0) {
            return flow.written(n, only != null ? flow.writeCall() : flow.gatherCall());
        }
        return moved(n);
    }

    private Flow.Step moved(long n) {
        flow.taken += n;
        flow.delivered += n;
        flow.staged = gathering.stagedBytes();
        return Flow.Step.MOVED;
    }

    @Override
    boolean isRefusal(int errno) {
        return false;
    }

    @Override
    public void close() {
        gathering.close();
    }
}
