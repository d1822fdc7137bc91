package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.MappingPool;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// splice(2): source → pipe of ours → sink, or in one go when an end is a pipe itself.
///
/// Our pipe is filled only when it is empty, so EAGAIN from the first half means the source and from the second the
/// sink. Bytes that lie in it when the sink turns out not to take splices are read out and written; only then is the
/// method given up. After any other error the pipe is closed, not pooled, so that nobody else ever finds bytes in it.
final class SpliceMover extends Mover {
    private final Descriptor in;
    private final Descriptor out;
    private final boolean inIsFile;
    private final boolean outIsFile;
    private final PipePool pipes;
    private final MappingPool buffers;
    private PipePool.@Nullable Pipe pipe;

    /// Bytes that lie in the pipe.
    private long held;

    /// Set once the sink has refused: what it said. Then what is held goes through the buffer.
    private int refusedErrno;

    private @Nullable Mapping buffer;
    private long bufferStart;
    private long bufferEnd;

    SpliceMover(Flow flow, PipePool pipes, MappingPool buffers) {
        super(flow, Method.SPLICE);
        this.in = Flow.descriptor(flow.source);
        this.out = Flow.descriptor(flow.sink);
        this.inIsFile = flow.source.kind() == Endpoint.Kind.FILE;
        this.outIsFile = flow.sink.kind() == Endpoint.Kind.FILE;
        this.pipes = pipes;
        this.buffers = buffers;
    }

    @Override
    Flow.Step step(long wanted) {
        if (flow.source.kind() == Endpoint.Kind.PIPE || flow.sink.kind() == Endpoint.Kind.PIPE) {
            return direct(wanted);
        }
        if (refusedErrno != 0) {
            return copyOut();
        }
        return held == 0 ? fill(wanted) : drain();
    }

    /// One end is a pipe: one call does it.
    private Flow.Step direct(long wanted) {
        int flags = flow.limited ? Pipes.SPLICE_F_NONBLOCK : 0;
        long n = flow.kernel
                .pipes()
                .splice(in, sourcePosition(), out, sinkPosition(), flow.callBytes(wanted), flags, flow.scratch);
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            // Either end may have been the one that isn't ready.
            Flow.Step blocked = n == -Errno.EAGAIN && (inIsFile || (!outIsFile && !flow.sinkWouldTake()))
                    ? Flow.Step.SINK_BLOCKED
                    : Flow.Step.SOURCE_BLOCKED;
            return flow.outcome(n, Call.SPLICE, Flow.Side.EITHER, blocked);
        }
        flow.taken += n;
        flow.delivered += n;
        return Flow.Step.MOVED;
    }

    private Flow.Step fill(long wanted) {
        PipePool.Pipe through = pipe;
        if (through == null) {
            try {
                through = pipes.take(flow.kernel);
                pipe = through;
            } catch (ErrnoException e) {
                return flow.fail(Flow.Side.EITHER, e.call(), -e.errno());
            }
        }
        long length = Math.min(flow.callBytes(wanted), through.capacityBytes());
        // Without SPLICE_F_NONBLOCK, so that a blocking socket waits as its mode says; the pipe has room, it is empty.
        long n = flow.kernel
                .pipes()
                .splice(in, sourcePosition(), through.ends().writeEnd(), Pipes.NO_POSITION, length, 0, flow.scratch);
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            return flow.outcome(n, Call.SPLICE, Flow.Side.SOURCE, Flow.Step.SOURCE_BLOCKED);
        }
        held = n;
        flow.taken += n;
        return drain();
    }

    private Flow.Step drain() {
        PipePool.Pipe through = held();
        // More is coming at once when the source is a file and we know that it isn't over: let the segment fill up.
        // Said of the last bytes it would hold them back, for up to 200 ms (tcp(7), TCP_CORK).
        int flags = inIsFile && !flow.untilEnd() && flow.left() > 0 ? Pipes.SPLICE_F_MORE : 0;
        long n = flow.kernel
                .pipes()
                .splice(through.ends().readEnd(), Pipes.NO_POSITION, out, sinkPosition(), held, flags, flow.scratch);
        if (n > 0) {
            held -= n;
            flow.delivered += n;
            return Flow.Step.MOVED;
        }
        if (n < 0 && super.isRefusal((int) -n)) {
            refusedErrno = (int) -n;
            return copyOut();
        }
        return flow.outcome(n, Call.SPLICE, Flow.Side.SINK, Flow.Step.SINK_BLOCKED);
    }

    /// The sink has refused: reads what is in the pipe and writes it, then reports the refusal.
    private Flow.Step copyOut() {
        Mapping through = buffer;
        if (through == null) {
            try {
                through = buffers.take(flow.kernel, held().capacityBytes());
                buffer = through;
            } catch (ErrnoException e) {
                return flow.fail(Flow.Side.EITHER, e.call(), -e.errno());
            }
        }
        MemorySegment segment = through.segment();
        if (bufferStart == bufferEnd && held > 0) {
            long n = flow.kernel.files().read(held().ends().readEnd(), segment);
            if (n <= 0) {
                return flow.read(n, Call.READ);
            }
            bufferStart = 0;
            bufferEnd = n;
            held -= n;
        }
        if (bufferStart < bufferEnd) {
            long n = flow.write(segment.asSlice(bufferStart, bufferEnd - bufferStart));
            if (n <= 0) {
                return flow.written(n, flow.writeCall());
            }
            bufferStart += n;
            flow.delivered += n;
            if (bufferStart < bufferEnd || held > 0) {
                return Flow.Step.MOVED;
            }
        }
        return flow.fail(Flow.Side.SINK, Call.SPLICE, -refusedErrno);
    }

    private PipePool.Pipe held() {
        if (pipe == null) {
            throw new IllegalStateException("no pipe, so nothing is held");
        }
        return pipe;
    }

    private long sourcePosition() {
        return inIsFile ? flow.sourcePosition() : Pipes.NO_POSITION;
    }

    private long sinkPosition() {
        return outIsFile ? flow.sinkPosition() : Pipes.NO_POSITION;
    }

    @Override
    public void close() {
        if (pipe != null) {
            if (held == 0) {
                pipes.give(pipe);
            } else {
                pipe.close();
            }
            pipe = null;
        }
        if (buffer != null) {
            buffers.give(buffer);
            buffer = null;
        }
    }
}
