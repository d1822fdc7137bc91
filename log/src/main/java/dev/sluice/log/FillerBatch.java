package dev.sluice.log;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/// A batch without records that stands for offsets that are given to none: a header with a count of 0. Compaction
/// leaves the same where it has removed all records of a batch, so every client steps over it to the offset behind.
final class FillerBatch {
    static final int LENGTH_BYTES = BatchView.HEADER_BYTES;

    private static final int CRC_AT = 17;

    private FillerBatch() {}

    /// Whether this is one. Clients' batches have records, see [BatchView#check].
    static boolean is(BatchView header) {
        return header.count() == 0 && header.batchLengthBytes() == LENGTH_BYTES;
    }

    /// Writes one into `target`.
    ///
    /// @param from the first offset that is given to no record
    /// @param to   the offset behind the last one, at most 2³¹ above
    static void write(MemorySegment target, long from, long to, int leaderEpoch) {
        ByteBuffer batch = ByteBuffer.allocate(LENGTH_BYTES);
        batch.putLong(from)
                .putInt(LENGTH_BYTES - BatchView.LENGTH_OVERHEAD_BYTES)
                .putInt(leaderEpoch)
                .put(BatchView.MAGIC)
                .putInt(0)
                .putShort((short) 0) // attributes
                .putInt((int) (to - from - 1))
                .putLong(BatchView.NO_TIMESTAMP)
                .putLong(BatchView.NO_TIMESTAMP)
                .putLong(BatchView.NO_PRODUCER_ID)
                .putShort((short) -1)
                .putInt(-1)
                .putInt(0); // records
        CRC32C crc = new CRC32C();
        crc.update(batch.array(), BatchView.CRC_STARTS_AT, LENGTH_BYTES - BatchView.CRC_STARTS_AT);
        batch.putInt(CRC_AT, (int) crc.getValue());
        MemorySegment.copy(batch.array(), 0, target, ValueLayout.JAVA_BYTE, 0, LENGTH_BYTES);
    }
}
