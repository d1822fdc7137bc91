package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// Walks over the batches of a segment by their headers: one pread(2) of 61 bytes each, the bodies are not touched.
///
/// Owned by one thread, which closes it. What it finds below the published end and is no batch is corruption.
///
/// A cursor, with its memory for a header, is the thread's, and is used again once it was closed: a look-up costs no
/// object. Where one is open beside another, that is made for it.
final class HeaderCursor implements AutoCloseable {
    private static final long ANY = -1;
    private static final long PAGE_BYTES = 4096;

    /// The thread's, null while it is open.
    private static final ThreadLocal<@Nullable HeaderCursor> FREE = new ThreadLocal<>();

    private final MemorySegment memory = Arena.ofAuto().allocate(BatchView.HEADER_BYTES, 8);
    private final BatchView header = new BatchView().wrap(memory, memory.asByteBuffer(), 0, BatchView.HEADER_BYTES);

    private Kernel kernel;
    private Descriptor file;
    private long segmentBaseOffset;
    private long endOffset;
    private long endPosition;
    private boolean gapsAllowed;
    private boolean dropsBehind;

    private long position;
    private long nextPosition;
    /// Base offset that the next batch must have, or ANY.
    private long nextOffset;
    /// What was read, in positions; nothing while the two are equal.
    private long firstRead;
    private long endRead;
    /// Whether the cursor is at a batch that [#next] has not answered yet.
    private boolean unread;

    private HeaderCursor(Kernel kernel, Descriptor file) {
        this.kernel = kernel;
        this.file = file;
    }

    /// A cursor before the first batch of a segment.
    ///
    /// @param file        the segment's file; borrowed
    /// @param endOffset   above all offsets in it
    /// @param endPosition where its batches end
    /// @param gapsAllowed whether offsets may be left out between batches, and within them
    /// @param dropsBehind whether the page cache shall forget what was read
    static HeaderCursor open(
            Kernel kernel,
            Descriptor file,
            long segmentBaseOffset,
            long endOffset,
            long endPosition,
            boolean gapsAllowed,
            boolean dropsBehind) {
        HeaderCursor cursor = FREE.get();
        if (cursor == null) {
            cursor = new HeaderCursor(kernel, file);
        } else {
            FREE.set(null);
        }
        cursor.kernel = kernel;
        cursor.file = file;
        cursor.segmentBaseOffset = segmentBaseOffset;
        cursor.endOffset = endOffset;
        cursor.endPosition = endPosition;
        cursor.gapsAllowed = gapsAllowed;
        cursor.dropsBehind = dropsBehind;
        cursor.start(0, segmentBaseOffset);
        cursor.position = 0;
        cursor.firstRead = 0;
        cursor.endRead = 0;
        cursor.unread = false;
        return cursor;
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
        if (dropsBehind && endRead > 0) { // a hint
            long from = firstRead & -PAGE_BYTES;
            long to = endRead + PAGE_BYTES - 1 & -PAGE_BYTES; // a page that is dropped in part is kept
            kernel.files().advise(file, from, to - from, Files.FADV_DONTNEED);
        }
        FREE.set(this);
    }
}
