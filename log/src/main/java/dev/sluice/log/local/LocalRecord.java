package dev.sluice.log.local;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// One record, where it lies: in the log's own page, or, of a compressed batch, in the reader's memory.
///
/// A view that the reader points at one record after the other: it and the memory that it answers are valid until the
/// reader's next call, for the reader's thread. The memory can't be written to. It is mapped, so don't hand it to
/// native code (checksums, compression, a downcall other than a system call) without copying it first: if somebody
/// truncates the file meanwhile, Java code gets an InternalError, but native code ends the process.
public final class LocalRecord {
    private final RecordCursor cursor;
    private long offset;
    private long timestampMs;

    /// Is shown one header after the other.
    @FunctionalInterface
    public interface HeaderVisitor {
        /// @param name  UTF-8
        /// @param value null where the header has none
        void header(MemorySegment name, @Nullable MemorySegment value);
    }

    LocalRecord(RecordCursor cursor) {
        this.cursor = cursor;
    }

    void at(long newOffset, long newTimestampMs) {
        offset = newOffset;
        timestampMs = newTimestampMs;
    }

    /// The record's number in its partition.
    public long offset() {
        return offset;
    }

    /// Ms since the epoch, -1 for none.
    public long timestampMs() {
        return timestampMs;
    }

    /// The key's length; -1 when there is none.
    public int keyLengthBytes() {
        return cursor.keyBytes();
    }

    /// The value's length; -1 when there is none.
    public int valueLengthBytes() {
        return cursor.valueBytes();
    }

    /// The key where it lies, borrowed as the record is; null when there is none.
    public @Nullable MemorySegment key() {
        return cursor.keyBytes() < 0 ? null : cursor.memory().asSlice(cursor.keyAt(), cursor.keyBytes());
    }

    /// The value where it lies, borrowed as the record is; null when there is none.
    public @Nullable MemorySegment value() {
        return cursor.valueBytes() < 0 ? null : cursor.memory().asSlice(cursor.valueAt(), cursor.valueBytes());
    }

    /// How many headers it has.
    public int headerCount() {
        return cursor.headers();
    }

    /// Shows the headers, in their order.
    ///
    /// @throws IllegalStateException when the bytes are no headers, which a producer's client would have to have
    ///     written so
    public void headers(HeaderVisitor visitor) {
        try {
            cursor.visitHeaders(visitor);
        } catch (RecordCursor.NoRecordException e) {
            throw new IllegalStateException("The record at offset " + offset + " has " + e.found(), e);
        }
    }
}
