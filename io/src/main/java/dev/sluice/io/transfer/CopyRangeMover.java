package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;

/// copy_file_range(2). On a file system with shared extents the kernel shares where it can.
final class CopyRangeMover extends Mover {
    private final Descriptor in;
    private final Descriptor out;

    CopyRangeMover(Flow flow) {
        super(flow, Method.COPY_FILE_RANGE);
        this.in = Flow.descriptor(flow.source);
        this.out = Flow.descriptor(flow.sink);
    }

    @Override
    Flow.Step step(long wanted) {
        long n = flow.kernel
                .fileCopies()
                .copyRange(in, flow.sourcePosition(), out, flow.sinkPosition(), flow.callBytes(wanted), flow.scratch);
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            return flow.outcome(n, Call.COPY_FILE_RANGE, Flow.Side.EITHER, Flow.Step.SINK_BLOCKED);
        }
        flow.taken += n;
        flow.delivered += n;
        return Flow.Step.MOVED;
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno)
                || errno == Errno.EXDEV
                || errno == Errno.EBADF // the sink is open with O_APPEND
                || errno == Errno.ETXTBSY; // a swap file
    }

    @Override
    boolean isLasting(int errno) {
        return errno != Errno.EINVAL
                && errno != Errno.EBADF
                && errno != Errno.ETXTBSY; // these are about this range or file
    }

    @Override
    public void close() {
        // holds nothing
    }
}
