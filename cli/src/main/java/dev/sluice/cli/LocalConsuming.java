package dev.sluice.cli;

import dev.sluice.io.linux.Kernel;
import dev.sluice.log.CorruptBatchException;
import dev.sluice.log.local.Decompressor;
import dev.sluice.log.local.LocalLog;
import dev.sluice.log.local.LocalLogException;
import dev.sluice.log.local.LocalReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;

/// The part of `sluice consume --local` that differs from reading over TCP: records are printed from where they lie in
/// the broker's files. Used by one thread.
final class LocalConsuming {
    private static final long WAIT_NS = 200_000_000;
    /// Records of one partition before the others get their turn.
    private static final int TURN_RECORDS = 10_000;

    private final ConsumeOptions options;
    private final BooleanSupplier isStopped;

    /// @param isStopped whether a signal told us to stop; looked at between turns
    LocalConsuming(ConsumeOptions options, BooleanSupplier isStopped) {
        this.options = options;
        this.isStopped = isStopped;
    }

    /// Prints until there is enough.
    ///
    /// @param socket the broker's, on this host
    /// @param starts the first offset of each partition
    /// @param ends   where each partition ends for us; empty to go on for ever
    void print(
            Kernel kernel,
            Path socket,
            Map<TopicPartition, Long> starts,
            Map<TopicPartition, Long> ends,
            RecordOutput output)
            throws IOException, CommandFailure {
        RecordPrinter printer = new RecordPrinter(options.fields(), options.separator(), options.delimiter(), output);
        LocalLog.Options reading = LocalLog.Options.standard().withDecompressor(decompressor());
        try (LocalLog log = LocalLog.connect(kernel, socket, reading)) {
            List<LocalReader> readers = new ArrayList<>();
            Map<LocalReader, Long> endOf = new HashMap<>();
            for (Map.Entry<TopicPartition, Long> start : starts.entrySet()) {
                LocalReader reader =
                        log.open(start.getKey().topic(), start.getKey().partition(), start.getValue());
                readers.add(reader);
                endOf.put(reader, ends.getOrDefault(start.getKey(), Long.MAX_VALUE));
            }
            long left = options.max();
            while (true) {
                long printed = 0;
                for (LocalReader reader : List.copyOf(readers)) {
                    long end = endOf.getOrDefault(reader, Long.MAX_VALUE);
                    printed += print(printer, reader, end, Math.min(left - printed, TURN_RECORDS));
                    if (reader.position() >= end) {
                        readers.remove(reader);
                        reader.close();
                    }
                }
                left -= printed;
                if (left == 0 || isStopped.getAsBoolean() || readers.isEmpty()) {
                    return;
                }
                if (printed == 0) {
                    output.flush();
                    log.await(WAIT_NS);
                }
            }
        } catch (LocalLogException | CorruptBatchException e) {
            throw CommandFailure.failed("consume " + options.topic() + ": " + e.getMessage(), e);
        } finally {
            output.flush();
        }
    }

    /// @return how many were printed
    private static long print(RecordPrinter printer, LocalReader reader, long end, long most) throws IOException {
        PrintedRecord record = new PrintedRecord.InPlace(reader.record(), reader.partition());
        long printed = 0;
        while (printed < most && reader.position() < end && reader.next() && record.offset() < end) {
            printer.print(record);
            printed++;
        }
        return printed;
    }

    /// Kafka's own.
    private static Decompressor decompressor() {
        return (compression, records) -> {
            try {
                return Compression.of(CompressionType.forName(compression.name().toLowerCase(Locale.ROOT)))
                        .build()
                        .wrapForInput(records, RecordBatch.MAGIC_VALUE_V2, BufferSupplier.NO_CACHING);
            } catch (KafkaException e) {
                throw new IOException("The records can't be decompressed: " + e.getMessage(), e);
            }
        };
    }
}
