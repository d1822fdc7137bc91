package dev.sluice.broker.coordinator;

import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a partition of `__consumer_offsets` short: when it has grown, the newest record of each key is written once
/// more at its end, in the order they have, and what lies before is given up.
///
/// ```
///   old records …………………………………………… | the newest of each key | what comes next
///                                      S                        E
///   1. appended, on the coordinator's thread: nothing else comes between
///   2. flushed to the device                         ┐ in the background
///   3. the log start offset moves to S               ┘
/// ```
///
/// Whatever stops this half-way loses nothing: until the last step the old records are there, and reading records again
/// that are the newest of their keys changes nothing. What is given up is durable at its new place, whatever the flush
/// policy.
///
/// A partition takes up to twice its segment size and three times what it has to remember. Writing costs, spread over
/// all appends, at most as many bytes again.
final class OffsetsSnapshot {
    private static final Logger LOG = LoggerFactory.getLogger(OffsetsSnapshot.class);

    private final OffsetsLog log;
    private final int batchBytes;
    private final Executor background;

    /// Whether what was rewritten is not given up yet; cleared in the background.
    private final AtomicBoolean busy = new AtomicBoolean();

    // Owned by the coordinator's thread.
    private long liveBytes;

    /// After a failure; by the coordinator's thread, or in the background while that is busy.
    private volatile long retryAtBytes;

    OffsetsSnapshot(OffsetsLog log, int batchBytes, Executor background) {
        this.log = log;
        this.batchBytes = batchBytes;
        this.background = background;
    }

    /// Whether the log has grown enough. Asked after each append.
    boolean isDue() {
        PartitionLog partition = log.log();
        long due = 2L * partition.config().segmentBytes() + 2 * liveBytes;
        return partition.bytesOnDisk() >= Math.max(due, retryAtBytes) && !busy.get();
    }

    /// Writes the newest records once more, and sees to it that those before go. A failure is logged; the log then
    /// goes on as it is.
    void write() {
        PartitionLog partition = log.log();
        long bytes = partition.bytesOnDisk();
        try {
            long from = partition.logEndOffset();
            if (partition.highWatermark() < from) {
                partition.flush(); // what is not acknowledged can't be read
            }
            liveBytes = write(from);
            retryAtBytes = 0;
            LOG.info(
                    "{} had grown to {} bytes; {} bytes of records, the newest of their keys, were written once more",
                    partition,
                    bytes,
                    liveBytes);
            busy.set(true);
            background.execute(() -> giveUpBefore(from));
        } catch (IOException | RuntimeException e) {
            // The append before it has succeeded, and must not fail for this. Not at once again: a full disk stays full
            // for a while.
            retryAtBytes = bytes + partition.config().segmentBytes();
            LOG.warn("{} could not be rewritten; it goes on as it is: {}", partition, e.getMessage());
        }
    }

    /// @return the bytes written
    private long write(long endOffset) throws IOException {
        Map<ByteBuffer, Long> newest = new HashMap<>();
        log.read(endOffset, batch -> {
            for (Record record : batch) {
                if (record.value() == null) {
                    newest.remove(record.key());
                } else {
                    newest.put(copy(record.key()), record.offset());
                }
            }
        });
        Rewriting rewriting = new Rewriting();
        log.read(endOffset, batch -> {
            for (Record record : batch) {
                Long offset = newest.get(record.key());
                if (offset != null && offset == record.offset()) {
                    rewriting.add(record);
                }
            }
        });
        return rewriting.finish();
    }

    private static ByteBuffer copy(ByteBuffer key) {
        byte[] bytes = new byte[key.remaining()];
        key.get(key.position(), bytes);
        return ByteBuffer.wrap(bytes);
    }

    /// Gathers records into batches.
    private final class Rewriting {
        private final ByteBuffer buffer = ByteBuffer.allocate(batchBytes);
        private MemoryRecordsBuilder builder = begin();
        private long written;

        private MemoryRecordsBuilder begin() {
            return MemoryRecords.builder(buffer.clear(), Compression.NONE, TimestampType.CREATE_TIME, 0);
        }

        void add(Record record) {
            if (!builder.hasRoomFor(record.timestamp(), record.key(), record.value(), record.headers())) {
                append();
            }
            builder.append(record.timestamp(), record.key(), record.value(), record.headers());
        }

        private void append() {
            MemoryRecords records = builder.build();
            written += records.sizeInBytes();
            log.append(records);
            builder = begin();
        }

        long finish() {
            if (builder.numRecords() > 0) {
                append();
            }
            return written;
        }
    }

    private void giveUpBefore(long offset) {
        try {
            log.log().flush();
            log.log().deleteBefore(offset);
        } catch (IOException | RuntimeException e) {
            // Else it would be rewritten after each append: nothing of it has gone.
            retryAtBytes = log.log().bytesOnDisk() + log.log().config().segmentBytes();
            LOG.warn("{} was rewritten, but what lies before offset {} stays: {}", log.log(), offset, e.getMessage());
        } finally {
            busy.set(false);
        }
    }
}
