package dev.sluice.testkit;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// The content of a record that says whose it is, and can be told from any other, also from a part of itself.
///
/// ```
///  0 i32 producer   4 i64 number, rising by one with each record of the producer   12 i32 length of all
/// 16 filling that follows from the number   length − 4  u32 CRC-32C of all before
/// ```
///
/// @param producer 0 or more
/// @param number   0 or more
public record NumberedRecord(int producer, long number) {
    private static final int HEAD_BYTES = 16;
    private static final int CRC_BYTES = 4;
    /// The shortest content.
    public static final int LEAST_BYTES = HEAD_BYTES + CRC_BYTES;

    /// @param lengthBytes at least [#LEAST_BYTES]
    public byte[] content(int lengthBytes) {
        ByteBuffer out = ByteBuffer.allocate(lengthBytes);
        out.putInt(producer).putLong(number).putInt(lengthBytes);
        for (int i = HEAD_BYTES; i < lengthBytes - CRC_BYTES; i++) {
            out.put((byte) (number * 31 + i));
        }
        return out.putInt(crc(out)).array();
    }

    private static int crc(ByteBuffer content) {
        CRC32C crc = new CRC32C();
        crc.update(content.duplicate().position(0).limit(content.capacity() - CRC_BYTES));
        return (int) crc.getValue();
    }

    /// The record with this content.
    ///
    /// @throws IllegalArgumentException saying why it is none
    public static NumberedRecord of(ByteBuffer content) {
        ByteBuffer in = content.slice();
        if (in.capacity() < LEAST_BYTES) {
            throw new IllegalArgumentException(in.capacity() + " bytes are no record of ours");
        }
        NumberedRecord record = new NumberedRecord(in.getInt(), in.getLong());
        int length = in.getInt();
        if (length != in.capacity()) {
            throw new IllegalArgumentException(in.capacity() + " bytes of a record that had " + length);
        }
        if (in.getInt(length - CRC_BYTES) != crc(in)) {
            throw new IllegalArgumentException("the content of " + record + " is not what was sent");
        }
        return record;
    }

    @Override
    public String toString() {
        return "record " + number + " of producer " + producer;
    }
}
