package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.view.FaultDelivery;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// The engine that stores batches into the mapped file, from the hot receive buffer into the page cache: the same one
/// copy as with pwrite(2), by the processor in user mode.
///
/// ```
///   batches                          end         filled          reserved (fallocate, beyond the file's size)
///  ├────────────────────────────────┼───────────┼───────────────┼
///   published, never touched again    zeros, in the page cache and dirty: stores go here
/// ```
///
/// **Zeros first.** The file is filled with zeros ahead of its end, by pwrite(2) in pieces of up to 256 KiB. That costs
/// a tenth of what it saves: pages that a large write makes belong together (large folios) and are mapped many at a
/// fault, where a store into a page that isn't there yet costs a fault and a clearing each 4 KiB. And it takes the
/// room: a full disk is an error number of that write.
///
/// **No fault in Java code, if it can be helped.** A page that the kernel has written back faults again at the next
/// store: on a disk that stalls for as long as that lasts, and a thread that waits there in Java code holds up every
/// safepoint; on a file that was cut, or a file system that has shut down, by SIGBUS. So each store asks for its pages
/// first, by a call (MADV_POPULATE_WRITE), which waits alone, and answers EFAULT. Between the call and the store lie
/// less than a microsecond and whatever the scheduler does; a fault taken there is an InternalError, which is caught.
/// Either way the batch is written by pwrite(2) then, which makes it good or tells why not. So it is with what the map
/// can't take: no map to be had, no room to fill, a kernel before 5.14.
///
/// **What a death leaves.** A batch's length is stored last, its offset right before. So behind the last batch a length
/// of zero follows, behind an offset of zero or the next, whatever comes then; see [SegmentScanner].
///
/// Owned as all writers are; nobody else touches the map. [#flush] is fdatasync(2), which writes what was stored, too.
final class MappedSegmentWriter extends PwriteSegmentWriter {
    /// The file's length is a multiple of it while it ends in zeros. Also the least to fill.
    static final int FILL_BYTES = 64 << 10;

    /// The most to fill ahead, and at a time. Pages are filled, written back and freed by so much.
    static final int LARGEST_FILL_BYTES = 256 << 10;

    /// Bytes of a batch's head up to and with its length, see [BatchView].
    static final int LENGTH_ENDS_AT = 12;

    /// Address space a map takes. It costs nothing before it is touched, and each page that was touched 8 bytes.
    private static final long WINDOW_BYTES = 16 << 20;

    private static final long PAGE_BYTES = 4096;

    private final MemorySegment zeros;

    /// The file's size, where there is more than its batches.
    private long filledEnd;

    private @Nullable Mapping window;
    private long windowPosition;

    /// @param stepBytes the most to reserve at a time; 0 to reserve nothing
    /// @param zeros     [#LARGEST_FILL_BYTES] of them; borrowed for the writer's life
    MappedSegmentWriter(Kernel kernel, Descriptor file, long endBytes, long stepBytes, MemorySegment zeros) {
        super(kernel, file, endBytes, stepBytes, Progress.NONE);
        this.zeros = zeros;
        this.filledEnd = endBytes;
    }

    @Override
    public long room(long lengthBytes) {
        long result = super.room(lengthBytes);
        if (result < 0 || end + lengthBytes <= filledEnd || fill(end + lengthBytes)) {
            return result;
        }
        soiled = true; // by a part of the zeros
        return super.room(lengthBytes);
    }

    /// Fills the file beyond `needed`.
    ///
    /// @return whether all was filled that was begun
    private boolean fill(long needed) {
        long ahead = Math.clamp(end, FILL_BYTES, LARGEST_FILL_BYTES);
        long target = (Math.max(needed, end + ahead) + FILL_BYTES - 1) / FILL_BYTES * FILL_BYTES;
        for (long from = filledEnd; from < target; ) {
            long piece = Math.min(target - from, LARGEST_FILL_BYTES);
            if (kernel.files().pwriteFully(file, zeros.asSlice(0, piece), from) < 0) {
                return false;
            }
            from += piece;
        }
        filledEnd = target;
        return true;
    }

    @Override
    public long write(MemorySegment batches) {
        long position = end;
        long to = position + batches.byteSize();
        if (to <= filledEnd && store(batches, position)) {
            end = to;
            return position;
        }
        long result = super.write(batches);
        filledEnd = Math.max(filledEnd, end);
        return result;
    }

    private boolean store(MemorySegment batches, long position) {
        Mapping mapped = windowOver(position, batches.byteSize());
        if (mapped == null) {
            return false;
        }
        long at = position - windowPosition;
        if (mapped.populateForStores(at, batches.byteSize()) < 0) {
            return false;
        }
        try {
            storeLengthLast(batches, mapped.segment().asSlice(at, batches.byteSize()));
            FaultDelivery.now();
        } catch (InternalError e) {
            if (FaultDelivery.isFault(e)) {
                return false;
            }
            throw e;
        }
        kernel.mappings().countStore(file, batches.byteSize());
        return true;
    }

    private static void storeLengthLast(MemorySegment batches, MemorySegment to) {
        long first = Math.min(LENGTH_ENDS_AT, batches.byteSize());
        MemorySegment.copy(batches, first, to, first, batches.byteSize() - first);
        VarHandle.releaseFence();
        MemorySegment.copy(batches, 0, to, 0, first);
    }

    /// The map, moved if need be; null when there is none to be had.
    private @Nullable Mapping windowOver(long position, long lengthBytes) {
        Mapping mapped = window;
        if (mapped != null
                && position + lengthBytes <= windowPosition + mapped.segment().byteSize()) {
            return mapped;
        }
        unmap();
        windowPosition = position / PAGE_BYTES * PAGE_BYTES;
        try {
            window = Mapping.ofFile(
                    kernel,
                    file,
                    windowPosition,
                    Math.max(WINDOW_BYTES, position + lengthBytes - windowPosition),
                    true);
        } catch (ErrnoException e) {
            return null; // too many maps
        }
        return window;
    }

    private void unmap() {
        if (window != null) {
            window.close();
            window = null;
        }
    }

    @Override
    public long trim() {
        soiled |= filledEnd > end;
        return super.trim();
    }

    @Override
    long truncate() {
        long result = super.truncate();
        if (result == 0) {
            filledEnd = end;
        }
        return result;
    }

    @Override
    public void close() {
        unmap();
    }
}
