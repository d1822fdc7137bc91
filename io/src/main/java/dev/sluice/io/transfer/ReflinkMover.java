package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;

/// FICLONE and FICLONERANGE: one call shares all extents of the range. Ranges begin and end on blocks, or end with the
/// source; a rest of less than a block is refused, and another method copies it.
final class ReflinkMover extends FileSharingMover {
    ReflinkMover(Flow flow) {
        super(flow, Method.REFLINK);
    }

    @Override
    Flow.Step step(long wanted) {
        try {
            return share(flow.kernel.files().status(in).sizeBytes());
        } catch (ErrnoException e) {
            return flow.fail(Flow.Side.EITHER, e.call(), -e.errno());
        }
    }

    private Flow.Step share(long size) throws ErrnoException {
        long from = flow.sourcePosition();
        long to = flow.sinkPosition();
        if (from >= size) {
            return Flow.Step.SOURCE_ENDED;
        }
        // All that is left in one go, whatever is wanted: a clone moves no bytes.
        long length = Math.min(flow.left(), size - from);
        long result;
        if (from == 0 && to == 0 && length == size) {
            result = flow.kernel.fileCopies().cloneWhole(in, out);
        } else {
            long block = Math.max(1, flow.kernel.files().system(out).blockBytes());
            if (from + length < size) {
                length -= length % block;
            }
            if (length == 0 || from % block != 0 || to % block != 0) {
                return flow.fail(Flow.Side.EITHER, Call.IOCTL, -Errno.EINVAL);
            }
            result = flow.kernel.fileCopies().cloneRange(in, from, out, to, length);
        }
        return movedByKernel(result < 0 ? result : length, Call.IOCTL);
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno) || errno == Errno.ENOTTY;
    }
}
