package dev.sluice.cli;

import dev.sluice.log.local.LocalRecord;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/// What can be printed of a record, wherever it was read. Its memory is lent for the time of the printing.
interface PrintedRecord {
    long offset();

    int partition();

    /// Ms since 1970.
    long timestampMs();

    @Nullable MemorySegment key();

    @Nullable MemorySegment value();

    List<PrintedHeader> headers();

    record PrintedHeader(MemorySegment name, @Nullable MemorySegment value) {}

    /// One that Kafka's client fetched.
    record Fetched(ConsumerRecord<ByteBuffer, ByteBuffer> record) implements PrintedRecord {
        @Override
        public long offset() {
            return record.offset();
        }

        @Override
        public int partition() {
            return record.partition();
        }

        @Override
        public long timestampMs() {
            return record.timestamp();
        }

        @Override
        public @Nullable MemorySegment key() {
            return record.key() == null ? null : MemorySegment.ofBuffer(record.key());
        }

        @Override
        public @Nullable MemorySegment value() {
            return record.value() == null ? null : MemorySegment.ofBuffer(record.value());
        }

        @Override
        public List<PrintedHeader> headers() {
            List<PrintedHeader> headers = new ArrayList<>();
            for (Header header : record.headers()) {
                headers.add(new PrintedHeader(
                        MemorySegment.ofArray(header.key().getBytes(StandardCharsets.UTF_8)),
                        header.value() == null ? null : MemorySegment.ofArray(header.value())));
            }
            return headers;
        }
    }

    /// One that lies in the broker's own file.
    record InPlace(LocalRecord record, int partition) implements PrintedRecord {
        @Override
        public long offset() {
            return record.offset();
        }

        @Override
        public long timestampMs() {
            return record.timestampMs();
        }

        @Override
        public @Nullable MemorySegment key() {
            return record.key();
        }

        @Override
        public @Nullable MemorySegment value() {
            return record.value();
        }

        @Override
        public List<PrintedHeader> headers() {
            List<PrintedHeader> headers = new ArrayList<>();
            record.headers((name, value) -> headers.add(new PrintedHeader(name, value)));
            return headers;
        }
    }
}
