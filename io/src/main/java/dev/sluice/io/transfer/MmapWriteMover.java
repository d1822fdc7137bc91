package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.memory.Mapping;
import org.jspecify.annotations.Nullable;

/// Writes from maps of the source file, one window at a time. Our own code never touches the mapped bytes, so a file
/// that is truncated underneath costs an error and not the process:
///
/// - pages that are wholly gone make write(2) answer EFAULT or a short count;
/// - in a page that the file now ends in, the bytes behind its end read as zeros, and the kernel can't tell that from
///   content. So when a window has been written the file's length is looked at, and if it is below the window's end the
///   transfer fails and says from where on what it delivered wasn't the file's.
final class MmapWriteMover extends Mover {
    /// Address space and page tables of one window; the kernel maps pages in as they are read, 16 at a time.
    static final long WINDOW_BYTES = 64 << 20;

    private static final long PAGE_BYTES = 4096;

    private final Descriptor file;
    private final MapBudget budget;
    private @Nullable Mapping window;

    /// Byte of the file that the window's first byte maps.
    private long windowStart;

    private long windowEnd;

    MmapWriteMover(Flow flow, MapBudget budget) {
        super(flow, Method.MMAP_WRITE);
        this.file = Flow.descriptor(flow.source);
        this.budget = budget;
    }

    @Override
    Flow.Step step(long wanted) {
        long position = flow.sourcePosition();
        Mapping mapped = window;
        if (mapped == null) {
            try {
                mapped = open(position);
            } catch (ErrnoException e) {
                return flow.fail(Flow.Side.SOURCE, e.call(), -e.errno());
            }
            if (mapped == null) {
                return Flow.Step.SOURCE_ENDED;
            }
        }
        if (!flow.sinkReady()) {
            return Flow.Step.SINK_BLOCKED;
        }
        long length = Math.min(flow.callBytes(wanted), windowEnd - position);
        long n = flow.write(mapped.segment().asSlice(position - windowStart, length));
        if (n == -Errno.EFAULT) {
            return unbacked();
        }
        if (n <= 0) {
            return flow.written(n, flow.writeCall());
        }
        flow.taken += n;
        flow.delivered += n;
        return flow.sourcePosition() == windowEnd || flow.left() == 0 ? finishWindow() : Flow.Step.MOVED;
    }

    private @Nullable Mapping open(long position) throws ErrnoException {
        long end = flow.untilEnd() ? wholeLength() : position + flow.left();
        if (end <= position) {
            return null;
        }
        windowStart = position & -PAGE_BYTES;
        windowEnd = Math.min(end, windowStart + WINDOW_BYTES);
        if (!budget.take()) {
            throw new ErrnoException(Call.MMAP, Errno.ENOMEM, file.name(), windowStart);
        }
        try {
            Mapping mapped = Mapping.ofFile(flow.kernel, file, windowStart, windowEnd - windowStart, false);
            window = mapped;
            if (flow.prefaulted) {
                mapped.populate(0, windowEnd - windowStart); // what it can't bring in, the write will meet
            }
            return mapped;
        } catch (ErrnoException e) {
            budget.give();
            throw e;
        }
    }

    private long wholeLength() throws ErrnoException {
        FileStatus status = flow.kernel.files().status(file);
        if (!status.isRegularFile()) {
            throw new ErrnoException(Call.MMAP, Errno.ENODEV, file.name()); // a block device doesn't say how long it is
        }
        return status.sizeBytes();
    }

    /// The map has a page without a file behind it, somewhere from here to the window's end: a socket answers
    /// EFAULT without having taken the good bytes before it. Without a named length what is left of the file is the
    /// length; otherwise who reads these bytes in another way will find out.
    private Flow.Step unbacked() {
        if (!flow.untilEnd()) {
            return flow.fail(Flow.Side.SOURCE, flow.writeCall(), -Errno.EFAULT);
        }
        long size = flow.sourceSize();
        if (size >= windowEnd) {
            return flow.fail(Flow.Side.SOURCE, flow.writeCall(), -Errno.EFAULT); // the device failed
        }
        if (size < flow.sourcePosition()) {
            return endedAt(size);
        }
        close(); // and map what is left
        return Flow.Step.MOVED;
    }

    private Flow.Step endedAt(long size) {
        flow.sourceEndedAt = size;
        return Flow.Step.SOURCE_ENDED;
    }

    private Flow.Step finishWindow() {
        close();
        try {
            FileStatus status = flow.kernel.files().status(file);
            boolean cut = status.isRegularFile() && status.sizeBytes() < windowEnd;
            return cut ? endedAt(status.sizeBytes()) : Flow.Step.MOVED;
        } catch (ErrnoException e) {
            return flow.fail(Flow.Side.SOURCE, e.call(), -e.errno());
        }
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno)
                || errno == Errno.ENODEV // a file system without maps
                || errno == Errno.EACCES // the source is open for writing only
                || errno == Errno.ENOMEM // no map left, in the process or in the budget
                || errno == Errno.EFAULT; // see above
    }

    @Override
    boolean isLasting(int errno) {
        return errno == Errno.ENODEV || errno == Errno.ENOSYS || errno == Errno.EPERM;
    }

    @Override
    public void close() {
        if (window != null) {
            window.close();
            window = null;
            budget.give();
        }
    }
}
