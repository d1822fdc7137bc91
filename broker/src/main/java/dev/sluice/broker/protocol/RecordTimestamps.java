package dev.sluice.broker.protocol;

import dev.sluice.log.BatchCodec;
import dev.sluice.log.BatchView;
import java.io.IOException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.CloseableIterator;

/// Looks into batches for the log's searches by time, decompressing as kafka-clients does.
public final class RecordTimestamps {
    /// Thread-safe: each search decompresses with buffers of its own.
    public static final BatchCodec CODEC = RecordTimestamps::visit;

    private RecordTimestamps() {}

    private static void visit(BatchView batch, BatchCodec.RecordVisitor visitor) throws IOException {
        try {
            MutableRecordBatch records = MemoryRecords.readableRecords(
                            batch.bytes().asByteBuffer())
                    .batches()
                    .iterator()
                    .next();
            try (CloseableIterator<Record> iterator = records.streamingIterator(BufferSupplier.NO_CACHING)) {
                while (iterator.hasNext()) {
                    Record record = iterator.next();
                    int delta = (int) (record.offset() - records.baseOffset());
                    if (!visitor.record(delta, record.timestamp())) {
                        return;
                    }
                }
            }
        } catch (KafkaException e) {
            throw new IOException("The batch at offset " + batch.baseOffset() + " can't be read: " + e.getMessage(), e);
        }
    }
}
