package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// Walks over the batches of a segment by their headers: one pread(2) of 61 bytes each, the bodies are not touched.
///
/// Owned by one thread, which closes it. What it finds below the published end and is no batch is corruption.
///
/// The memory for a header is the thread's and goes from one cursor to the next; one beside another makes its own.
final class HeaderCursor implements AutoCloseable {
    private static final long ANY = -1;
    private static final long PAGE_BYTES = 4096;

    private final Kernel kernel;
    private final Descriptor file;
    private final long segmentBaseOffset;
    private final long endOffset;
    private final long endPosition;
    private final boolean gapsAllowed;
    private final boolean dropsBehind;
    private final Room room = Room.take();
    private final MemorySegment memory = room.memory;
    private final BatchView header = room.header;

    private long position;
    private long nextPosition;
    /// Base offset that the next batch must have, or ANY.
    private long nextOffset;
    /// What was read, in positions; nothing while the two are equal.
    private long firstRead;
    private long endRead;
    /// Whether the cursor is at a batch that [#next] has not answered yet.
    private boolean unread;

    /// Memory for one header.
    private record Room(MemorySegment memory, BatchView header) {
        /// The thread's, null while a cursor has it.
        private static final ThreadLocal<@Nullable Room> FREE = new ThreadLocal<>();

        static Room take() {
            Room free = FREE.get();
            if (free != null) {
                FREE.set(null);
                return free;
            }
            MemorySegment memory = Arena.ofAuto().allocate(BatchView.HEADER_BYTES, 8);
            ByteBuffer view = memory.asByteBuffer();
            return new Room(memory, new BatchView().wrap(memory, view, 0, BatchView.HEADER_BYTES));
        }

        void give() {
            FREE.set(this);
        }
    }

    /// A cursor before the first batch of a segment.
    ///
    /// @param file        the segment's file; borrowed
    /// @param endOffset   above all offsets in it
    /// @param endPosition where its batches end
    /// @param gapsAllowed whether offsets may be left out between batches, and within them
    HeaderCursor(
            Kernel kernel,
            Descriptor file,
            long segmentBaseOffset,
            long endOffset,
            long endPosition,
            boolean gapsAllowed) {
        this(kernel, file, segmentBaseOffset, endOffset, endPosition, gapsAllowed, false);
    }

    /// @param dropsBehind whether the page cache shall forget what was read
    HeaderCursor(
            Kernel kernel,
            Descriptor file,
            long segmentBaseOffset,
            long endOffset,
            long endPosition,
            boolean gapsAllowed,
            boolean dropsBehind) {
        this.kernel = kernel;
        this.file = file;
        this.segmentBaseOffset = segmentBaseOffset;
        this.endOffset = endOffset;
        this.endPosition = endPosition;
        this.gapsAllowed = gapsAllowed;
        this.dropsBehind = dropsBehind;
        this.nextOffset = segmentBaseOffset;
    }

    /// Goes to the next batch.
    ///
    /// @return false at the end
    /// @throws CorruptBatchException when there is something else than a batch
    /// @throws ErrnoException when the file can't be read
    boolean next() throws CorruptBatchException, ErrnoException {
        if (unread) {
            unread = false;
            return true;
        }
        position = nextPosition;
        if (position == endPosition) {
            return false;
        }
        if (endPosition - position < BatchView.HEADER_BYTES) {
            throw corrupt("a batch header of 61 bytes", (endPosition - position) + " bytes");
        }
        long read = read(memory);
        if (read < BatchView.HEADER_BYTES) {
            throw corrupt("a batch header of 61 bytes", "the end of the file after " + read);
        }
        long length = header.batchLengthBytes();
        if (length < BatchView.HEADER_BYTES || length > endPosition - position) {
            throw corrupt("a length from 61 to " + (endPosition - position), Long.toString(length));
        }
        if (header.magic() != BatchView.MAGIC) {
            throw corrupt("magic 2", Byte.toString(header.magic()));
        }
        long base = header.baseOffset();
        if (nextOffset != ANY && (gapsAllowed ? base < nextOffset : base != nextOffset)) {
            throw corrupt("base offset " + nextOffset, Long.toString(base));
        }
        int delta = header.lastOffsetDelta();
        if (delta < 0 || base + delta >= endOffset) {
            throw corrupt("a last offset below " + endOffset, Long.toString(base + delta));
        }
        if (!gapsAllowed && header.count() - 1L != delta && !FillerBatch.is(header)) {
            throw corrupt("a count of " + (delta + 1L), Integer.toString(header.count()));
        }
        nextOffset = header.lastOffset() + 1;
        nextPosition = position + length;
        return true;
    }

    private long read(MemorySegment into) throws ErrnoException {
        long read = kernel.files().preadFully(file, into, position);
        ErrnoException.check(read, Call.PREAD, file.name());
        firstRead = endRead == 0 ? position : Math.min(firstRead, position);
        endRead = Math.max(endRead, position + read);
        return read;
    }

    private CorruptBatchException corrupt(String expected, String found) {
        return new CorruptBatchException(file.name(), position, expected, found);
    }

    /// The header of the batch that the cursor is at; changed by [#next].
    BatchView header() {
        return header;
    }

    /// The first byte of the batch that the cursor is at.
    int position() {
        return (int) position;
    }

    /// The position behind the batch that the cursor is at.
    int nextPosition() {
        return (int) nextPosition;
    }

    /// The offset behind the batch that the cursor is at, or the segment's base offset before the first.
    long nextOffset() {
        return nextOffset;
    }

    BatchPlace place() {
        return new BatchPlace(header.baseOffset(), (int) position, (int) (nextPosition - position));
    }

    /// The whole batch that the cursor is at, read into memory of its own, its checksum verified.
    ///
    /// @param owner frees the memory
    /// @throws CorruptBatchException when the checksum does not fit
    BatchView body(Arena owner) throws CorruptBatchException, ErrnoException {
        int length = (int) (nextPosition - position);
        MemorySegment bytes = owner.allocate(ValueLayout.JAVA_BYTE, length);
        long read = read(bytes);
        if (read < length) {
            throw corrupt("a batch of " + length + " bytes", "the end of the file after " + read);
        }
        BatchView batch = new BatchView().wrap(bytes, bytes.asByteBuffer(), 0, length);
        int computed = batch.computeCrc();
        if (computed != batch.crc()) {
            throw corrupt("CRC " + Integer.toHexString(batch.crc()), Integer.toHexString(computed));
        }
        return batch;
    }

    /// Goes on from the batch that an index points to, if the index speaks true; else stays where it is.
    ///
    /// @param entry of the segment's offset index, or null
    void seek(@Nullable IndexEntry entry) throws ErrnoException {
        if (entry == null || entry.value() <= 0 || entry.value() >= endPosition) {
            return;
        }
        long startPosition = nextPosition;
        long startOffset = nextOffset;
        nextPosition = entry.value();
        nextOffset = ANY;
        try {
            unread = next() && header.lastOffset() - segmentBaseOffset == entry.key();
        } catch (CorruptBatchException e) {
            unread = false; // the index lies, or the batch is lost: walking there from the start tells which
        }
        if (!unread) {
            nextPosition = startPosition;
            nextOffset = startOffset;
        }
    }

    /// Goes on from a batch that is known to begin there, and to be the first with records from `offset` on.
    void start(int batchPosition, long offset) {
        nextPosition = batchPosition;
        nextOffset = offset;
    }

    @Override
    public void close() {
        room.give();
        if (dropsBehind && endRead > 0) { // a hint
            long from = firstRead & -PAGE_BYTES;
            long to = endRead + PAGE_BYTES - 1 & -PAGE_BYTES; // a page that is dropped in part is kept
            kernel.files().advise(file, from, to - from, Files.FADV_DONTNEED);
        }
    }
}
