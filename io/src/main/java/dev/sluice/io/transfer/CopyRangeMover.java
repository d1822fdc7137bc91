package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;

/// copy_file_range(2). On a file system with shared extents the kernel shares where it can.
final class CopyRangeMover extends FileSharingMover {
    CopyRangeMover(Flow flow) {
        super(flow, Method.COPY_FILE_RANGE);
    }

    @Override
    Flow.Step step(long wanted) {
        long n = flow.kernel
                .fileCopies()
                .copyRange(in, flow.sourcePosition(), out, flow.sinkPosition(), flow.callBytes(wanted), flow.scratch);
        return n == 0 ? Flow.Step.SOURCE_ENDED : movedByKernel(n, Call.COPY_FILE_RANGE);
    }
}
