package dev.sluice.broker.protocol;

import java.lang.foreign.MemorySegment;
import java.util.Objects;

/// A cursor over a request in memory.
///
/// Reading moves [#position] forward and never past [#limit]; whatever doesn't fit or makes no sense is a
/// [MalformedRequestException] that carries the field's name. `flexible` in a method's arguments chooses the
/// compact encoding of the newer versions: lengths and counts as an unsigned varint of n + 1.
///
/// Reused for one request after the other by the thread that owns it. The memory is borrowed for as long as
/// anything is read.
public final class WireReader {
    private MemorySegment memory = MemorySegment.NULL;
    private long position;
    private long limit;
    private long received;
    private long neededEnd;

    /// Starts over at other bytes, all of them received.
    ///
    /// @param limit first position that is not the request's
    /// @return this
    public WireReader over(MemorySegment memory, long position, long limit) {
        Objects.checkFromToIndex(position, limit, memory.byteSize());
        this.memory = memory;
        this.position = position;
        this.limit = limit;
        this.received = limit;
        return this;
    }

    public MemorySegment memory() {
        return memory;
    }

    /// The next byte to be read.
    public long position() {
        return position;
    }

    public long limit() {
        return limit;
    }

    public long remaining() {
        return limit - position;
    }

    /// Says how far the bytes were received. Reading beyond that, within the limit, throws [Starved]: whoever
    /// calls this catches it, rewinds, and tells its own caller how far it needs them, [#neededEnd].
    void receivedUpTo(long end) {
        received = Math.min(end, limit);
    }

    /// How far bytes must be received for the read that starved.
    long neededEnd() {
        return neededEnd;
    }

    /// Goes back to a position that was reached before.
    void rewind(long earlier) {
        assert earlier <= position;
        position = earlier;
    }

    public byte readInt8(String field) {
        return memory.get(Wire.INT8, take(field, Byte.BYTES));
    }

    public short readInt16(String field) {
        return memory.get(Wire.INT16, take(field, Short.BYTES));
    }

    public int readInt32(String field) {
        return memory.get(Wire.INT32, take(field, Integer.BYTES));
    }

    /// Also the way to read a uuid: two of these, the more significant first.
    public long readInt64(String field) {
        return memory.get(Wire.INT64, take(field, Long.BYTES));
    }

    /// Reads a varint of at most 31 bits, which every length, count and tag fits in.
    public int readUnsignedVarint(String field) {
        byte first = readInt8(field);
        return first >= 0 ? first : readRestOfVarint(field, first & 0x7f);
    }

    private int readRestOfVarint(String field, int low) {
        long start = position - 1;
        int value = low;
        for (int shift = 7; shift < 28; shift += 7) {
            byte next = readInt8(field);
            value |= (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        byte last = readInt8(field);
        if (last < 0 || last > 7) {
            throw new MalformedRequestException(field, start, "a varint of more than 31 bits");
        }
        return value | last << 28;
    }

    /// Reads a string that may be null, and passes over its bytes: they are the last ones before [#position].
    ///
    /// @return their number, or −1 for null
    public int readNullableString(String field, boolean flexible) {
        long start = position;
        int length = flexible ? readUnsignedVarint(field) - 1 : readInt16(field);
        if (length < 0) {
            return -1;
        }
        if (length > Wire.STRING_BYTES) {
            throw new MalformedRequestException(field, start, "a string of " + length + " bytes, longer than any");
        }
        take(field, length);
        return length;
    }

    /// Reads a string that may not be null, and passes over its bytes: they are the last ones before [#position].
    ///
    /// @return their number
    public int readString(String field, boolean flexible) {
        long start = position;
        int length = readNullableString(field, flexible);
        if (length < 0) {
            throw new MalformedRequestException(field, start, "null, which it may not be");
        }
        return length;
    }

    /// Reads a string that may not be null.
    public String readString(String field, boolean flexible, NameCache names) {
        int length = readString(field, flexible);
        return names.name(memory, position - length, length);
    }

    /// Reads the name of a topic, which an answer will repeat, so the string encodes to the bytes that were read.
    String readTopicName(boolean flexible, NameCache names) {
        int length = readString("topic name", flexible);
        return names.exactName("topic name", memory, position - length, length);
    }

    /// Reads the number of elements of an array that may not be null.
    ///
    /// @param elementBytes what the smallest element takes, so that no count is believed that the rest of the
    ///     request can't hold
    public int readCount(String field, boolean flexible, int elementBytes) {
        long start = position;
        int count = flexible ? readUnsignedVarint(field) - 1 : readInt32(field);
        if (count < 0) {
            throw new MalformedRequestException(field, start, "null, which it may not be");
        }
        if (count > remaining() / elementBytes) {
            throw new MalformedRequestException(
                    field, start, count + " elements do not fit in the " + remaining() + " bytes that are left");
        }
        return count;
    }

    /// Reads the number of elements of an array that may be null.
    ///
    /// @return −1 for null
    public int readNullableCount(String field, boolean flexible, int elementBytes) {
        long start = position;
        int count = flexible ? readUnsignedVarint(field) - 1 : readInt32(field);
        if (count == -1) {
            return -1;
        }
        rewind(start);
        return readCount(field, flexible, elementBytes);
    }

    /// Reads the length of records that may be null; their bytes are the next ones, within the limit.
    ///
    /// @return −1 for null
    public int readRecordsLength(String field, boolean flexible) {
        long start = position;
        int length = flexible ? readUnsignedVarint(field) - 1 : readInt32(field);
        if (length > remaining()) {
            throw new MalformedRequestException(
                    field, start, length + " bytes do not fit in the " + remaining() + " that are left");
        }
        return Math.max(length, -1);
    }

    /// Reads how many tagged fields follow.
    public int readTagCount(String field) {
        long start = position;
        int count = readUnsignedVarint(field);
        // The smallest is a tag and a size of 0.
        if (count > remaining() / 2) {
            throw new MalformedRequestException(
                    field, start, count + " tagged fields do not fit in the " + remaining() + " bytes that are left");
        }
        return count;
    }

    /// Passes over a section of tagged fields none of which is known.
    public void skipTags(String field) {
        for (int left = readTagCount(field); left > 0; left--) {
            readUnsignedVarint(field);
            skip(field, readUnsignedVarint(field));
        }
    }

    /// Passes over bytes.
    public void skip(String field, long lengthBytes) {
        take(field, lengthBytes);
    }

    /// @return where the bytes begin
    private long take(String field, long lengthBytes) {
        long before = position;
        if (lengthBytes > received - before) {
            throw outOfBytes(field, lengthBytes);
        }
        position = before + lengthBytes;
        return before;
    }

    private RuntimeException outOfBytes(String field, long lengthBytes) {
        if (lengthBytes > remaining()) {
            return new MalformedRequestException(
                    field, position, lengthBytes + " bytes needed, the request has " + remaining() + " left");
        }
        neededEnd = position + lengthBytes;
        return Starved.INSTANCE;
    }
}
