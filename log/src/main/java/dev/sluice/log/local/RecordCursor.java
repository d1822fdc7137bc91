package dev.sluice.log.local;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Walks over the records of one batch where they lie.
///
/// ```
/// record: varint length, i8 attributes, varint timestamp delta, varint offset delta,
///         varint key length or -1, key, varint value length or -1, value, varint number of headers, headers
/// header: varint name length, name, varint value length or -1, value
/// ```
/// Signed varints are zigzag. Reused; borrows the memory; owned by one thread. Believes nothing that is written there:
/// every length is held against what is left.
final class RecordCursor {
    /// Six fields of a byte: without key, value and headers.
    private static final int LEAST_BYTES = 6;

    private MemorySegment memory = MemorySegment.NULL;
    private long at;
    private long end;

    // Of the record that the cursor is at.
    private long timestampDelta;
    private int offsetDelta;
    private long keyAt;
    private int keyBytes;
    private long valueAt;
    private int valueBytes;
    private int headers;
    private long headersAt;
    private long recordEnd;

    /// What is there is no record.
    static final class NoRecordException extends Exception {
        private static final long serialVersionUID = 1L;

        private final String found;

        NoRecordException(String found) {
            super(found, null, false, false);
            this.found = found;
        }

        /// What is there.
        String found() {
            return found;
        }
    }

    void begin(MemorySegment newMemory, long position, long endPosition) {
        memory = newMemory;
        at = position;
        end = endPosition;
    }

    /// Goes to the next record.
    void next() throws NoRecordException {
        recordEnd = end;
        int length = varint("a record's length");
        if (length < LEAST_BYTES || length > end - at) {
            throw new NoRecordException("a record of " + length + " bytes where " + (end - at) + " are left");
        }
        recordEnd = at + length;
        at++; // attributes: none are defined
        timestampDelta = varlong("a timestamp");
        offsetDelta = varint("an offset");
        keyBytes = lengthOrNone("a key");
        keyAt = at;
        at += Math.max(keyBytes, 0);
        valueBytes = lengthOrNone("a value");
        valueAt = at;
        at += Math.max(valueBytes, 0);
        headers = varint("the number of headers");
        if (headers < 0) {
            throw new NoRecordException(headers + " headers");
        }
        headersAt = at;
        at = recordEnd;
    }

    private int lengthOrNone(String what) throws NoRecordException {
        int length = varint(what);
        if (length < -1 || length > recordEnd - at) {
            throw new NoRecordException(what + " of " + length + " bytes where " + (recordEnd - at) + " are left");
        }
        return length;
    }

    private int varint(String what) throws NoRecordException {
        long value = varlong(what);
        if (value != (int) value) {
            throw new NoRecordException(what + " of " + value);
        }
        return (int) value;
    }

    private long varlong(String what) throws NoRecordException {
        long zigzag = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (at >= recordEnd) {
                throw new NoRecordException("the end in the middle of " + what);
            }
            byte next = memory.get(ValueLayout.JAVA_BYTE, at++);
            zigzag |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return zigzag >>> 1 ^ -(zigzag & 1);
            }
        }
        throw new NoRecordException(what + " of more than 64 bits");
    }

    // ---- The record

    long timestampDelta() {
        return timestampDelta;
    }

    int offsetDelta() {
        return offsetDelta;
    }

    MemorySegment memory() {
        return memory;
    }

    long keyAt() {
        return keyAt;
    }

    /// -1 without a key.
    int keyBytes() {
        return keyBytes;
    }

    long valueAt() {
        return valueAt;
    }

    /// -1 without a value.
    int valueBytes() {
        return valueBytes;
    }

    int headers() {
        return headers;
    }

    /// Shows the record's headers.
    void visitHeaders(LocalRecord.HeaderVisitor visitor) throws NoRecordException {
        long after = at;
        at = headersAt;
        try {
            for (int i = 0; i < headers; i++) {
                int nameBytes = lengthOrNone("a header's name");
                if (nameBytes < 0) {
                    throw new NoRecordException("a header without a name");
                }
                MemorySegment name = memory.asSlice(at, nameBytes);
                at += nameBytes;
                int bytes = lengthOrNone("a header's value");
                MemorySegment value = bytes < 0 ? null : memory.asSlice(at, bytes);
                at += Math.max(bytes, 0);
                visitor.header(name, value);
            }
        } finally {
            at = after;
        }
    }
}
