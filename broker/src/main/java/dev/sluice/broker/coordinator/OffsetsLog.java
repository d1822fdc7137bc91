package dev.sluice.broker.coordinator;

import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchProblem;
import dev.sluice.log.BatchView;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;

/// One partition of `__consumer_offsets`, as records of kafka-clients: appended to by its coordinator, read when the
/// coordinator is loaded and when the log is rewritten.
///
/// Owned by the coordinator's thread. Throws what the coordinator understands.
final class OffsetsLog {
    /// What is read at once. A batch may be longer.
    private static final int READ_BYTES = 1 << 20;

    /// Commits are small; longer batches get room of their own for the while.
    private static final int KEPT_BYTES = 64 << 10;

    /// Sees one batch.
    @FunctionalInterface
    interface BatchReader {
        void read(MutableRecordBatch batch) throws IOException;
    }

    private final Kernel kernel;
    private final Partition partition;
    private final BatchView view = new BatchView();
    private final MemorySegment kept = Arena.ofAuto().allocate(KEPT_BYTES);

    OffsetsLog(Kernel kernel, Partition partition) {
        this.kernel = kernel;
        this.partition = partition;
    }

    PartitionLog log() {
        return partition.log();
    }

    /// Appends one batch.
    ///
    /// @return the log end offset behind it
    /// @throws KafkaStorageException when it could not be stored; clients then ask again
    long append(MemoryRecords records) {
        ByteBuffer bytes = records.buffer();
        int length = bytes.remaining();
        // Copied, because the coordinator builds its batches on the heap and the kernel takes native memory only.
        MemorySegment memory = length <= KEPT_BYTES ? kept : Arena.ofAuto().allocate(length);
        MemorySegment.copy(MemorySegment.ofBuffer(bytes), 0, memory, 0, length);
        view.wrap(memory, memory.asByteBuffer(), 0, length);
        BatchProblem problem = view.check(Integer.MAX_VALUE);
        if (problem != BatchProblem.NONE) {
            throw new IllegalStateException("The coordinator made a batch that can't be stored: " + problem);
        }
        return switch (partition.append(view)) {
            case AppendOutcome.Appended _ -> view.lastOffset() + 1;
            case AppendOutcome.Duplicate duplicate ->
                throw new IllegalStateException("A batch without a producer was taken for " + duplicate);
            case AppendOutcome.Rejected rejected -> throw new KafkaStorageException(rejected.message());
            case AppendOutcome.Failed failed -> throw new KafkaStorageException(failed.message());
        };
    }

    /// Shows every batch from the log start offset to `endOffset`, in order, each with its checksum checked.
    ///
    /// @return the bytes of them
    /// @throws IOException when they can't be read
    long read(long endOffset, BatchReader reader) throws IOException {
        long offset = log().logStartOffset();
        long bytes = 0;
        while (offset < endOffset) {
            switch (log().read(offset, READ_BYTES, true)) {
                case ReadOutcome.Found found -> {
                    MemoryRecords records = records(found.span());
                    long before = offset;
                    for (MutableRecordBatch batch : records.batches()) {
                        batch.ensureValid();
                        if (batch.nextOffset() > offset && batch.baseOffset() < endOffset) {
                            reader.read(batch);
                            offset = batch.nextOffset();
                            bytes += batch.sizeInBytes();
                        }
                    }
                    if (offset == before) {
                        throw new IOException(log() + " has no whole batch at offset " + offset
                                + ": restore the data folder from a backup");
                    }
                }
                case ReadOutcome.Closed _ -> throw new IOException(log() + " was closed");
                case ReadOutcome.AtEnd _, ReadOutcome.OutOfRange _ ->
                    throw new IOException(
                            log() + " has a hole at offset " + offset + ": restore the data folder from a backup");
            }
        }
        return bytes;
    }

    private MemoryRecords records(Span span) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(span.lengthBytes(), 8);
            long read = kernel.files().preadFully(span.file(), memory, span.position());
            ErrnoException.check(read, Call.PREAD, span.file().name());
            // On the heap, because what the coordinator remembers may refer to it.
            byte[] bytes = new byte[(int) read];
            MemorySegment.copy(memory, 0, MemorySegment.ofArray(bytes), 0, read);
            return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        } finally {
            span.hold().release();
        }
    }
}
