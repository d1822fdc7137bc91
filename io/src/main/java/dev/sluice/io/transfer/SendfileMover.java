package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;

/// sendfile(2), which takes no position for a file it writes to: there the descriptor's own is set first.
final class SendfileMover extends Mover {
    private final Descriptor in;
    private final Descriptor out;
    private boolean positioned;

    SendfileMover(Flow flow) {
        super(flow, Method.SENDFILE);
        this.in = Flow.descriptor(flow.source);
        this.out = Flow.descriptor(flow.sink);
        this.positioned = flow.sink.kind() != Endpoint.Kind.FILE;
    }

    @Override
    Flow.Step step(long wanted) {
        if (!positioned) {
            long at = flow.kernel.files().seek(out, flow.sinkPosition());
            if (at < 0) {
                return flow.fail(Flow.Side.SINK, Call.LSEEK, at);
            }
            positioned = true;
        }
        if (!flow.sinkReady()) {
            return Flow.Step.SINK_BLOCKED;
        }
        long n = flow.kernel.sockets().sendfile(out, in, flow.sourcePosition(), flow.callBytes(wanted), flow.scratch);
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            return flow.outcome(n, Call.SENDFILE, Flow.Side.EITHER, Flow.Step.SINK_BLOCKED);
        }
        flow.taken += n;
        flow.delivered += n;
        return Flow.Step.MOVED;
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno) || errno == Errno.ESPIPE;
    }

    @Override
    public void close() {
        // holds nothing
    }
}
