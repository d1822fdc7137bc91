package dev.sluice.broker.catalogue;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchBuilder;
import dev.sluice.log.BatchView;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.function.Consumer;

/// The catalogue's changes, one record each, in a log of the same kind as every partition's. A change is on the device
/// before [#append] returns.
///
/// Not thread-safe: the [Catalogue] calls it under its lock.
final class CatalogueLog {
    private static final int READ_BYTES = 1 << 20;

    private final Kernel kernel;
    private final PartitionLog log;
    private final InstantSource clock;
    private final BatchBuilder builder = new BatchBuilder();

    CatalogueLog(Kernel kernel, PartitionLog log, InstantSource clock) {
        this.kernel = kernel;
        this.log = log;
        this.clock = clock;
    }

    /// Shows every change since the beginning, in order.
    ///
    /// @throws IOException when the log can't be read, or was written by a newer version
    void replay(Consumer<CatalogueRecord> to) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            long offset = log.logStartOffset();
            while (offset < log.logEndOffset()) {
                if (!(log.read(offset, READ_BYTES, true) instanceof ReadOutcome.Found found)) {
                    throw new IOException("The catalogue's log has a hole at offset " + offset
                            + ": restore the data folder from a backup");
                }
                offset = replaySpan(found.span(), arena, offset, to);
            }
        }
    }

    private long replaySpan(Span span, Arena arena, long from, Consumer<CatalogueRecord> to) throws IOException {
        long offset = from;
        try {
            MemorySegment memory = arena.allocate(span.lengthBytes(), 8);
            long read = kernel.files().preadFully(span.file(), memory, span.position());
            ErrnoException.check(read, Call.PREAD, span.file().name());
            ByteBuffer view = memory.asByteBuffer();
            BatchView batch = new BatchView();
            long at = 0;
            while (at + BatchView.HEADER_BYTES <= read) {
                int rest = (int) (read - at);
                int length = (int) Math.min(batch.wrap(memory, view, at, rest).batchLengthBytes(), rest + 1L);
                if (length > rest) {
                    break; // cut by the read's bound; the next read begins with it
                }
                batch.wrap(memory, view, at, length);
                if (batch.lastOffset() >= offset) {
                    Records.forEach(batch, (_, value) -> to.accept(CatalogueRecord.decode(value)));
                    offset = batch.lastOffset() + 1;
                }
                at += length;
            }
            return offset;
        } finally {
            span.hold().release();
        }
    }

    /// Adds changes, all or none, and waits until they are on the device.
    ///
    /// @throws IOException when they could not be stored; the catalogue then stays as it was
    void append(CatalogueRecord... records) throws IOException {
        builder.clear();
        long nowMs = clock.millis();
        for (CatalogueRecord record : records) {
            builder.add(nowMs, null, record.encode());
        }
        switch (log.append(builder.build())) {
            case AppendOutcome.Appended _, AppendOutcome.Duplicate _ -> log.flush();
            case AppendOutcome.Rejected rejected ->
                throw new IOException("The catalogue refused a change: " + rejected.message());
            case AppendOutcome.Failed failed -> throw new IOException(failed.message());
        }
    }
}
