package dev.sluice.log.local;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Walks over the records of one batch where they lie.
///
/// ```
/// record: varint length, i8 attributes, varint timestamp delta, varint offset delta,
///         varint key length or -1, key, varint value length or -1, value, varint number of headers, headers
/// header: varint name length, name, varint value length or -1, value
/// ```
/// Signed varints are zigzag. Reused; borrows the memory; owned by one thread. Believes nothing that is written there:
/// every length is held against what is left.
///
/// What it costs: each access to a segment is checked (bounds, liveness, thread), which is as much as decoding a byte.
/// So the fields are taken from words of eight bytes: two for most records without a key, one more with one. Anything
/// unusual (a long varint, the last bytes of a batch, bytes that are no record) goes field by field.
final class RecordCursor {
    /// Six fields of a byte: without key, value and headers.
    private static final int LEAST_BYTES = 6;

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

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
        if (!isPlain()) {
            byFields();
        }
    }

    /// Goes to the next record if all its lengths and deltas are short, as nearly always: at most three bytes for
    /// the first length, two for a delta, three for each other length.
    ///
    /// @return whether it did; else nothing has changed that [#byFields] relies on
    private boolean isPlain() {
        long position = at;
        if (end - position < Long.BYTES) {
            return false;
        }
        long word = memory.get(WORD, position);
        int bytes = shortBytes(word);
        int length = zigzag(word, bytes);
        if (bytes > 3 || length < LEAST_BYTES || length > end - position - bytes) {
            return false;
        }
        position += bytes;
        long newEnd = position + length;
        word >>>= (bytes + 1) << 3; // attributes: none are defined; at least 32 bits are left
        bytes = shortBytes(word);
        int newTimestampDelta = zigzag(word, bytes);
        word >>>= bytes << 3;
        position += 1 + bytes;
        int offsetBytes = shortBytes(word);
        if (bytes > 2 || offsetBytes > 2) {
            return false;
        }
        int newOffsetDelta = zigzag(word, offsetBytes);
        position += offsetBytes;
        if (newEnd - position < Long.BYTES) {
            return false;
        }
        word = memory.get(WORD, position);
        bytes = shortBytes(word);
        int newKeyBytes = zigzag(word, bytes);
        if (bytes > 3 || newKeyBytes < -1) {
            return false;
        }
        position += bytes;
        long newKeyAt = position;
        if (newKeyBytes > 0) {
            if (newKeyBytes > newEnd - position - Long.BYTES) {
                return false;
            }
            position += newKeyBytes;
            word = memory.get(WORD, position);
        } else {
            word >>>= bytes << 3;
        }
        bytes = shortBytes(word);
        int newValueBytes = zigzag(word, bytes);
        position += bytes;
        long newValueAt = position;
        position += Math.max(newValueBytes, 0);
        // One byte is left, and says that there are no headers.
        if (bytes > 3
                || newValueBytes < -1
                || position != newEnd - 1
                || memory.get(ValueLayout.JAVA_BYTE, position) != 0) {
            return false;
        }
        recordEnd = newEnd;
        timestampDelta = newTimestampDelta;
        offsetDelta = newOffsetDelta;
        keyAt = newKeyAt;
        keyBytes = newKeyBytes;
        valueAt = newValueAt;
        valueBytes = newValueBytes;
        headers = 0;
        headersAt = newEnd;
        at = newEnd;
        return true;
    }

    /// How long the varint is that a word begins with: 1 to 3, or 4 for a longer one.
    private static int shortBytes(long word) {
        if ((word & 0x80) == 0) { // branches: a processor foresees them, and does not wait for where the next begins
            return 1;
        }
        if ((word & 0x8000) == 0) {
            return 2;
        }
        return (word & 0x80_0000) == 0 ? 3 : 4;
    }

    /// The signed varint of 1 to 3 bytes that a word begins with; nonsense for a longer one.
    private static int zigzag(long word, int bytes) {
        int value = (int) (word & 0x7F);
        if (bytes > 1) {
            value |= (int) (word >>> 1) & 0x3F80;
            if (bytes > 2) {
                value |= (int) (word >>> 2) & 0x1F_C000;
            }
        }
        return value >>> 1 ^ -(value & 1);
    }

    /// Goes to the next record, whatever its fields are like.
    private void byFields() throws NoRecordException {
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
