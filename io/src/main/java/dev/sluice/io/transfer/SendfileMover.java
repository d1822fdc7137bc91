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
        return n == 0 ? Flow.Step.SOURCE_ENDED : movedByKernel(n, Call.SENDFILE);
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno) || errno == Errno.ESPIPE;
    }
}
