package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.view.FaultDelivery;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/// The engine that stores batches into the mapped file, from the hot receive buffer into the page cache: the same one
/// copy as with pwrite(2), by the processor in user mode.
///
/// **Over zeros alone.** What fits into the zeros that [PwriteSegmentWriter] has written ahead is stored; the batch
/// that does not is written, with new zeros behind it. Without them a map is dearer than a call: a store into a page
/// that isn't there costs a fault and a clearing each 4 KiB, where pages that a large write made belong together (large
/// folios) and are mapped many at a fault.
///
/// **No fault in Java code, if it can be helped.** A page that the kernel has written back faults again at the next
/// store: on a disk that stalls for as long as that lasts, and a thread that waits there in Java code holds up every
/// safepoint; on a file that was cut, or a file system that has shut down, by SIGBUS. So each store asks for its pages
/// first, by a call (MADV_POPULATE_WRITE), which waits alone, and answers EFAULT. Between the call and the store lie
/// less than a microsecond and whatever the scheduler does; a fault taken there is an InternalError, which is caught.
/// Either way the batch is written by pwrite(2) then, which makes it good or tells why not. So it is where there is no
/// map to be had, and on a kernel before 5.14.
///
/// **What a death leaves.** Batches are stored one after the other, of each its length last, its offset right before.
/// So behind the last batch a length of zero follows, behind an offset of zero or the next, and behind that no whole
/// batch; see [SegmentScanner].
///
/// Owned as all writers are; nobody else touches the map. [#flush] is fdatasync(2), which writes what was stored, too.
final class MappedSegmentWriter extends PwriteSegmentWriter {
    /// Bytes of a batch's head up to and with its length, see [BatchView].
    static final int LENGTH_ENDS_AT = 12;

    private static final int LENGTH_AT = LENGTH_ENDS_AT - Integer.BYTES;
    private static final ValueLayout.OfInt LENGTH = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /// Address space a map takes. It costs nothing before it is touched, and each page that was touched 8 bytes.
    private static final long WINDOW_BYTES = 16 << 20;

    private static final long PAGE_BYTES = 4096;

    private @Nullable Mapping window;
    private long windowPosition;

    /// @param stepBytes the most to reserve at a time; 0 to reserve nothing
    /// @param zeros     as for the other
    /// @param fillsFrom as for the other
    MappedSegmentWriter(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, MemorySegment zeros, long fillsFrom) {
        super(kernel, file, endBytes, stepBytes, zeros, fillsFrom);
    }

    @Override
    public long write(MemorySegment memory, long from, long lengthBytes) {
        long position = end;
        long to = position + lengthBytes;
        if (to <= filledEnd && store(memory.asSlice(from, lengthBytes), position)) {
            end = to;
            return position;
        }
        return super.write(memory, from, lengthBytes);
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
            storeInOrder(batches, mapped.segment().asSlice(at, batches.byteSize()));
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

    private static void storeInOrder(MemorySegment batches, MemorySegment to) {
        long length;
        for (long at = 0; at < batches.byteSize(); at += length) {
            length = lengthOfFirst(batches, at);
            long first = Math.min(LENGTH_ENDS_AT, length);
            MemorySegment.copy(batches, at + first, to, at + first, length - first);
            VarHandle.releaseFence(); // behind the length of the batch before, too
            MemorySegment.copy(batches, at, to, at, first);
        }
    }

    /// Of the batch at `at`; all that is left, where that is none.
    private static long lengthOfFirst(MemorySegment batches, long at) {
        long left = batches.byteSize() - at;
        long length = left < LENGTH_ENDS_AT ? left : LENGTH_ENDS_AT + (long) batches.get(LENGTH, at + LENGTH_AT);
        return length < LENGTH_ENDS_AT ? left : Math.min(length, left);
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
    public void close() {
        unmap();
    }
}
