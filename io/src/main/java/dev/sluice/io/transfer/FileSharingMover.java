package dev.sluice.io.transfer;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;

/// A method by which a file system copies or shares a range of a file itself: what it refuses, and what that says of
/// the next file.
abstract class FileSharingMover extends Mover {
    final Descriptor in;
    final Descriptor out;

    FileSharingMover(Flow flow, Method method) {
        super(flow, method);
        this.in = Flow.descriptor(flow.source);
        this.out = Flow.descriptor(flow.sink);
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
}
