package dev.sluice.io.transfer;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.VectoredFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Where small spans are copied to, so that one call sends them together with the memory around them.
///
/// A span that goes by sendfile(2) costs four calls: one for the memory before it, one that asks whether it is in
/// memory, sendfile itself, and one for what is behind. Copied it costs two, because the read answers the question too:
/// with RWF_NOWAIT it doesn't wait for the disk. Up to some tens of KiB that is cheaper than the copy is dear; from a
/// map of the file it would be a copy less, a question and page faults more, and comes to the same or to more. Figures
/// are in docs/decisions/2026-11-22-small-answers-are-copied.md.
///
/// Owned by one thread, whose writers share it: what is in it counts until the next [#clear].
public final class SpanCopies {
    /// Spans of a burst of answers are gathered up to so many bytes, or so many times the largest.
    private static final int LEAST_BYTES = 64 << 10;

    private final VectoredFiles files;
    private final int largestBytes;
    private final MemorySegment memory;
    private final IoVectors vector = new IoVectors(Arena.ofAuto(), 1);
    private final MemorySegment probe = Arena.ofAuto().allocate(1);
    private int used;
    private boolean isUnable;
    private boolean wouldWait;

    /// @param largestBytes longer spans are not copied; 0 for none
    public SpanCopies(Kernel kernel, int largestBytes) {
        this.files = kernel.vectoredFiles();
        this.largestBytes = largestBytes;
        this.memory = Arena.ofAuto().allocate(largestBytes == 0 ? 1 : Math.max(LEAST_BYTES, largestBytes));
    }

    /// Forgets all copies.
    void clear() {
        used = 0;
        wouldWait = false;
    }

    /// Reads what is left of a span, if it is small and in the page cache.
    ///
    /// @param from first byte, counted from the span's start
    /// @param to   gets the copy
    /// @return false when it was not copied: it is too long, there is no room, the file system can't read without
    ///     waiting, the file has ended or can't be read, or [#wouldWait]
    boolean copy(Span span, long from, IoVectors to) {
        long length = span.lengthBytes() - from;
        if (length > largestBytes || length > memory.byteSize() - used || isUnable || span.isPastCache()) {
            return false;
        }
        vector.clear();
        vector.add(memory, used, length);
        long read = files.preadv2(span.file(), vector, span.position() + from, VectoredFiles.RWF_NOWAIT, 1);
        if (read == length && to.add(memory, used, length)) {
            used += (int) length;
            return true;
        }
        isUnable = read == -Errno.EOPNOTSUPP;
        wouldWait = read == -Errno.EAGAIN || (read > 0 && read < length);
        return false;
    }

    /// Whether the last span that was not copied is not in the page cache, or not all of it.
    boolean wouldWait() {
        return wouldWait;
    }

    /// Whether a byte could only be read by waiting for the disk: its page is not in the page cache, or on its way
    /// there, which cachestat(2) doesn't tell apart from being there.
    boolean isAwaited(Descriptor file, long position) {
        if (isUnable) {
            return false;
        }
        vector.clear();
        vector.add(probe);
        long read = files.preadv2(file, vector, position, VectoredFiles.RWF_NOWAIT, 1);
        isUnable = read == -Errno.EOPNOTSUPP;
        return read == -Errno.EAGAIN;
    }
}
