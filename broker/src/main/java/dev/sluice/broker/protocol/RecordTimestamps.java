package dev.sluice.broker.protocol;

import dev.sluice.log.BatchCodec;
import dev.sluice.log.BatchView;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.utils.BufferSupplier;

/// Looks into batches for the log's searches by time, decompressing with kafka-clients' codecs.
///
/// The records may be anything, for nobody looked at them when they were stored; kafka-clients' own iterator would
/// allocate what a record's length claims. Here one chunk of them is held at a time.
public final class RecordTimestamps {
    /// Thread-safe: each search decompresses with buffers of its own.
    public static final BatchCodec CODEC = RecordTimestamps::visit;

    private static final int CHUNK_BYTES = 16 << 10;

    /// What the records of a batch may unfold to: the most that `socket.request.max.bytes` can be.
    private static final long MOST_BYTES = 1 << 30;

    private RecordTimestamps() {}

    /// @throws UnreadableRecordsException when the records are none
    private static void visit(BatchView batch, BatchCodec.RecordVisitor visitor) throws UnreadableRecordsException {
        try (InputStream in = decompressed(batch)) {
            RecordBytes reader = new RecordBytes(CHUNK_BYTES, MOST_BYTES);
            reader.begin(in, null, () -> true);
            visit(batch, reader, visitor);
        } catch (IOException | RuntimeException e) { // codecs throw several kinds, all of them for bad bytes
            throw new UnreadableRecordsException(batch.baseOffset(), e);
        }
    }

    /// Layout of a record: length, attributes, timestamp delta, offset delta, and the rest.
    private static void visit(BatchView batch, RecordBytes reader, BatchCodec.RecordVisitor visitor)
            throws IOException {
        int last = batch.lastOffsetDelta();
        for (int left = batch.count(); left > 0; left--) {
            long length = reader.readVarlong();
            long end = reader.position() + length;
            reader.skip(1);
            long timestampMs = batch.baseTimestamp() + reader.readVarlong();
            long offsetDelta = reader.readVarlong();
            if (length < 0 || reader.position() > end || offsetDelta < 0 || offsetDelta > last) {
                throw new IOException("a record is malformed");
            }
            if (!visitor.record((int) offsetDelta, batch.isLogAppendTime() ? batch.maxTimestamp() : timestampMs)) {
                return;
            }
            reader.skip(end - reader.position());
        }
    }

    private static InputStream decompressed(BatchView batch) {
        CompressionType type = switch (batch.compression()) {
            case GZIP -> CompressionType.GZIP;
            case SNAPPY -> CompressionType.SNAPPY;
            case LZ4 -> CompressionType.LZ4;
            case ZSTD -> CompressionType.ZSTD;
            case NONE, UNKNOWN -> CompressionType.NONE;
        };
        ByteBuffer records = batch.bytes().asByteBuffer().position(BatchView.HEADER_BYTES);
        return Compression.of(type).build().wrapForInput(records, BatchView.MAGIC, BufferSupplier.NO_CACHING);
    }
}
