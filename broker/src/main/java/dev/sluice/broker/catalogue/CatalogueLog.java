package dev.sluice.broker.catalogue;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchBuilder;
import dev.sluice.log.BatchView;
import dev.sluice.log.CorruptBatchException;
import dev.sluice.log.FlushPolicy;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The catalogue's changes, one record each, in a log of the same kind as every partition's. A change is on the device
/// before [#append] returns.
///
/// ```
///   __sluice_catalogue-7        what happened
///   __sluice_catalogue-8        after a compaction: one batch that says what -7 came to, then what happened since
/// ```
///
/// A compaction writes the next number, and deletes the one before once that batch is on the device. A batch is there
/// as a whole or not at all, so of two logs the one with the higher number holds, unless it is empty.
///
/// Thread-safe: changes are appended one at a time.
final class CatalogueLog {
    private static final Logger LOG = LoggerFactory.getLogger(CatalogueLog.class);
    private static final int READ_BYTES = 1 << 20;

    /// It is bounded by being compacted, never by age or size; and a topic can be deleted to make room on a full
    /// disk.
    private static final LogConfig CONFIG =
            LogConfig.DEFAULT.withDeleted(false).withVital(true).withFlushPolicy(FlushPolicy.ACK);

    /// The catalogue's own log never changes its id, for it is found before any id is known.
    private static final UUID OWN_ID = new UUID(0x5375696365000000L, 1);

    private final Kernel kernel;
    private final LogDirectory directory;
    private final InstantSource clock;

    // Guarded by this.
    private final BatchBuilder builder = new BatchBuilder();
    private PartitionLog log;

    private CatalogueLog(Kernel kernel, LogDirectory directory, InstantSource clock, PartitionLog log) {
        this.kernel = kernel;
        this.directory = directory;
        this.clock = clock;
        this.log = log;
    }

    /// Finds the log in a data folder, or makes it.
    static CatalogueLog open(Kernel kernel, LogDirectory directory, InstantSource clock) throws IOException {
        List<PartitionLog> found = directory.logs().stream()
                .filter(CatalogueLog::isOwn)
                .sorted(Comparator.comparingInt(PartitionLog::partition).reversed())
                .toList();
        PartitionLog holds = found.stream()
                .filter(each -> each.logEndOffset() > each.logStartOffset())
                .findFirst()
                .orElse(found.isEmpty() ? null : found.getLast());
        if (holds == null) {
            holds = directory.create(TopicNames.CATALOGUE, 0, OWN_ID, CONFIG);
        } else {
            holds.configure(CONFIG);
        }
        for (PartitionLog each : found) {
            if (each != holds) {
                directory.delete(each); // a compaction was interrupted, before its batch or after it
            }
        }
        return new CatalogueLog(kernel, directory, clock, holds);
    }

    /// Whether a log of the data folder is one of the catalogue's own.
    static boolean isOwn(PartitionLog log) {
        return log.topic().equals(TopicNames.CATALOGUE);
    }

    /// Shows every change since the beginning, in order.
    ///
    /// @throws CorruptBatchException when stored bytes are not what was written
    /// @throws IOException when the log can't be read, or was written by a newer version
    synchronized void replay(Consumer<CatalogueRecord> to) throws IOException {
        long offset = log.logStartOffset();
        while (offset < log.logEndOffset()) {
            if (!(log.read(offset, READ_BYTES, true) instanceof ReadOutcome.Found found)) {
                throw new IOException("The catalogue's log has a hole at offset " + offset
                        + ": restore the data folder from a backup");
            }
            offset = replaySpan(found.span(), offset, to);
        }
    }

    /// @return the offset behind the last whole batch, above `from`
    private long replaySpan(Span span, long from, Consumer<CatalogueRecord> to) throws IOException {
        String file = span.file().name();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(span.lengthBytes(), 8);
            long read = kernel.files().preadFully(span.file(), memory, span.position());
            ErrnoException.check(read, Call.PREAD, file);
            ByteBuffer view = memory.asByteBuffer();
            BatchView batch = new BatchView();
            long offset = from;
            long at = 0;
            while (read - at >= BatchView.HEADER_BYTES) {
                long position = span.position() + at;
                long length = batch.wrap(memory, view, at, (int) (read - at)).batchLengthBytes();
                if (length > read - at && at > 0) {
                    break; // cut by the read's bound; the next read begins with it
                }
                requireIntact(length >= BatchView.HEADER_BYTES && length <= read - at, file, position, "a length");
                batch.wrap(memory, view, at, (int) length);
                requireIntact(batch.computeCrc() == batch.crc(), file, position, "a checksum");
                if (batch.lastOffset() >= offset) {
                    Records.forEach(batch, (_, value) -> to.accept(CatalogueRecord.decode(value)));
                    offset = batch.lastOffset() + 1;
                }
                at += length;
            }
            requireIntact(offset > from, file, span.position(), "an offset");
            return offset;
        } finally {
            span.hold().release();
        }
    }

    private static void requireIntact(boolean intact, String file, long position, String what)
            throws CorruptBatchException {
        if (!intact) {
            throw new CorruptBatchException(
                    file, position, "a batch of the catalogue", "one with " + what + " that it can't have");
        }
    }

    /// Adds changes, all or none, and waits until they are on the device.
    ///
    /// @throws IOException when they could not be stored. If it was the flush that failed they may still be found
    ///     at the next start; until then the log takes no more changes
    synchronized void append(List<CatalogueRecord> records) throws IOException {
        append(log, records);
    }

    private void append(PartitionLog to, List<CatalogueRecord> records) throws IOException {
        builder.clear();
        long nowMs = clock.millis();
        for (CatalogueRecord record : records) {
            builder.add(nowMs, null, record.encode());
        }
        switch (to.append(builder.build())) {
            case AppendOutcome.Appended _, AppendOutcome.Duplicate _ -> to.flush();
            case AppendOutcome.Rejected rejected ->
                throw new IOException("The catalogue refused a change: " + rejected.message());
            case AppendOutcome.Failed failed -> throw new IOException(failed.message());
        }
    }

    /// Begins a new log with these records, which say all that the old one came to.
    ///
    /// @param records at least one
    /// @throws IOException when they could not be stored; the old log then goes on
    synchronized void compact(List<CatalogueRecord> records) throws IOException {
        PartitionLog old = log;
        PartitionLog next = directory.create(TopicNames.CATALOGUE, old.partition() + 1, OWN_ID, CONFIG);
        try {
            append(next, records);
        } catch (IOException | RuntimeException | Error e) {
            deleteAfter(e, next);
            throw e;
        }
        log = next;
        try {
            directory.delete(old);
        } catch (IOException e) {
            LOG.warn("{} is not needed any more and can't be removed; the next start tries again", old, e);
        }
    }

    private void deleteAfter(Throwable cause, PartitionLog unfinished) {
        try {
            directory.delete(unfinished);
        } catch (IOException | RuntimeException e) {
            cause.addSuppressed(e);
        }
    }
}
