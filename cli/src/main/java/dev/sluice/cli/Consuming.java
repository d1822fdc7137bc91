package dev.sluice.cli;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteBufferDeserializer;

/// One run of `sluice consume`: finds where to begin in each partition, and prints until it is told to stop. Used by
/// one thread; a signal wakes it up from another.
final class Consuming {
    /// Bytes collected before they are written.
    private static final int OUTPUT_BYTES = 1024 * 1024;

    /// What one fetch may bring from one partition, and in all: large enough that the requests of a GiB don't
    /// count.
    private static final int PARTITION_FETCH_BYTES = 4 * 1024 * 1024;
    private static final int FETCH_BYTES = 16 * 1024 * 1024;

    /// A fetch's worth of small records is handed over at once; the default of 500 makes a poll of every 50 KiB.
    private static final int POLL_RECORDS = 100_000;

    private static final Duration POLL_WAIT = Duration.ofMillis(200);
    private static final int NOT_STOPPED = -1;

    private final ClientOptions client;
    private final ConsumeOptions options;
    private final Surroundings surroundings;

    /// Written by the thread that delivers signals, read by ours after it was woken up.
    private final AtomicInteger stoppedWith = new AtomicInteger(NOT_STOPPED);

    Consuming(ClientOptions client, ConsumeOptions options, Surroundings surroundings) {
        this.client = client;
        this.options = options;
        this.surroundings = surroundings;
    }

    int run() throws CommandFailure {
        HostPort broker = BrokerProbe.await(client);
        Kernel kernel = new Kernel();
        Descriptor standardOutput = surroundings.recordOutput().apply(kernel);
        try (Consumer<ByteBuffer, ByteBuffer> consumer = open();
                RecordOutput output = new RecordOutput(kernel.files(), standardOutput, OUTPUT_BYTES)) {
            surroundings.signals().onStop(exitCode -> {
                stoppedWith.set(exitCode);
                consumer.wakeup();
                return true;
            });
            try {
                Map<TopicPartition, Long> starts = starts(consumer);
                Map<TopicPartition, Long> ends =
                        options.toEnd() ? consumer.endOffsets(starts.keySet(), client.timeout()) : Map.of();
                if (options.local()) {
                    consumer.close(); // it has said where to begin
                    new LocalConsuming(options, () -> stoppedWith.get() != NOT_STOPPED)
                            .print(kernel, StatusCommand.localSocket(broker, client), starts, ends, output);
                } else {
                    consumer.assign(starts.keySet());
                    starts.forEach(consumer::seek);
                    print(consumer, ends, output);
                }
            } catch (WakeupException _) {
                output.flush();
            }
        } catch (RecordOutput.ReaderGoneException _) {
            return ExitCode.OK;
        } catch (ErrnoException e) {
            throw CommandFailure.failed("can't write the records: " + e.getMessage(), e);
        } catch (IOException e) {
            throw CommandFailure.failed("can't write the records: " + e, e);
        } catch (OffsetOutOfRangeException e) {
            throw CommandFailure.failed(
                    "consume " + options.topic()
                            + ": records were deleted by retention before they could be read; go on with"
                            + " --from beginning",
                    e);
        } catch (KafkaException e) {
            throw KafkaFailures.explain("consume " + options.topic(), e, client);
        }
        int signal = stoppedWith.get();
        return signal == NOT_STOPPED ? ExitCode.OK : signal;
    }

    private Consumer<ByteBuffer, ByteBuffer> open() {
        Map<String, Object> own = new HashMap<>();
        own.put("enable.auto.commit", false);
        own.put("allow.auto.create.topics", false);
        own.put("auto.offset.reset", "none");
        own.put("max.poll.records", POLL_RECORDS);
        own.put("max.partition.fetch.bytes", PARTITION_FETCH_BYTES);
        own.put("fetch.max.bytes", FETCH_BYTES);
        // As large as the kernel lets it grow: 64 KiB, the default, is less than one fetch by far.
        own.put("receive.buffer.bytes", -1);
        // Both are slices of the fetched bytes: nothing is copied until the output takes it.
        return new KafkaConsumer<>(
                client.clientProperties(own), new ByteBufferDeserializer(), new ByteBufferDeserializer());
    }

    /// The first offset to read of each partition that was asked for.
    private Map<TopicPartition, Long> starts(Consumer<?, ?> consumer) throws CommandFailure {
        Set<TopicPartition> partitions = partitions(consumer);
        Map<TopicPartition, Long> first = consumer.beginningOffsets(partitions, client.timeout());
        Map<TopicPartition, Long> end = consumer.endOffsets(partitions, client.timeout());
        return switch (options.from()) {
            case StartPosition.Beginning _ -> first;
            case StartPosition.End _ -> end;
            case StartPosition.BeforeEnd(long count) -> {
                Map<TopicPartition, Long> starts = new HashMap<>();
                for (TopicPartition partition : partitions) {
                    starts.put(partition, Math.max(at(first, partition), at(end, partition) - count));
                }
                yield starts;
            }
            case StartPosition.Offset(long offset) -> {
                Map<TopicPartition, Long> starts = new HashMap<>();
                for (TopicPartition partition : partitions) {
                    if (offset < at(first, partition) || offset > at(end, partition)) {
                        throw CommandFailure.failed("partition " + partition.partition() + " of " + options.topic()
                                + " has no offset " + offset + ": it begins at " + at(first, partition)
                                + " and ends before "
                                + at(end, partition));
                    }
                    starts.put(partition, offset);
                }
                yield starts;
            }
            case StartPosition.Time(long timestampMs) -> {
                Map<TopicPartition, Long> asked = new HashMap<>();
                partitions.forEach(partition -> asked.put(partition, timestampMs));
                Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(asked, client.timeout());
                Map<TopicPartition, Long> starts = new HashMap<>();
                for (TopicPartition partition : partitions) {
                    OffsetAndTimestamp match = found.get(partition);
                    // No record is that late: what comes from now on is.
                    starts.put(partition, match == null ? at(end, partition) : Long.valueOf(match.offset()));
                }
                yield starts;
            }
        };
    }

    private Set<TopicPartition> partitions(Consumer<?, ?> consumer) throws CommandFailure {
        List<PartitionInfo> known = consumer.partitionsFor(options.topic(), client.timeout());
        if (known == null || known.isEmpty()) {
            throw CommandFailure.failed("no topic '" + options.topic() + "'; sluice topic list shows those there are");
        }
        List<Integer> wanted = new ArrayList<>(options.partitions());
        if (wanted.isEmpty()) {
            known.forEach(partition -> wanted.add(partition.partition()));
        }
        Set<TopicPartition> partitions = new HashSet<>();
        for (int partition : wanted) {
            if (partition >= known.size()) {
                throw CommandFailure.failed("topic " + options.topic() + " has "
                        + HumanFormat.count(known.size(), "partition") + ", counted from 0; there is no partition "
                        + partition);
            }
            partitions.add(new TopicPartition(options.topic(), partition));
        }
        return partitions;
    }

    /// @param ends where each partition ends for us; empty to go on for ever
    private void print(Consumer<ByteBuffer, ByteBuffer> consumer, Map<TopicPartition, Long> ends, RecordOutput output)
            throws IOException, CommandFailure {
        RecordPrinter printer = new RecordPrinter(options.fields(), options.separator(), options.delimiter(), output);
        Set<TopicPartition> unfinished = new HashSet<>(ends.keySet());
        long left = options.max();
        long lastRecordNs = System.nanoTime();
        dropFinished(consumer, ends, unfinished);
        while (left > 0 && stoppedWith.get() == NOT_STOPPED && !(options.toEnd() && unfinished.isEmpty())) {
            ConsumerRecords<ByteBuffer, ByteBuffer> records = consumer.poll(POLL_WAIT);
            for (TopicPartition partition : records.partitions()) {
                long end = ends.getOrDefault(partition, Long.MAX_VALUE);
                for (ConsumerRecord<ByteBuffer, ByteBuffer> record : records.records(partition)) {
                    if (left == 0 || record.offset() >= end) {
                        break;
                    }
                    printer.print(new PrintedRecord.Fetched(record));
                    left--;
                }
            }
            // After each poll: what is there is seen at once, and while much is there a poll brings much.
            output.flush();
            dropFinished(consumer, ends, unfinished);
            if (!records.isEmpty()) {
                lastRecordNs = System.nanoTime();
            } else if (options.toEnd()
                    && System.nanoTime() - lastRecordNs > client.timeout().toNanos()) {
                // There should be records, and none come: if the broker is gone, the client would wait for it for ever.
                BrokerProbe.await(client);
                lastRecordNs = System.nanoTime();
            }
        }
    }

    /// Stops fetching what is read to its end.
    private static void dropFinished(
            Consumer<?, ?> consumer, Map<TopicPartition, Long> ends, Set<TopicPartition> unfinished) {
        for (TopicPartition partition : List.copyOf(unfinished)) {
            if (consumer.position(partition) >= at(ends, partition)) {
                consumer.pause(List.of(partition));
                unfinished.remove(partition);
            }
        }
    }

    private static long at(Map<TopicPartition, Long> offsets, TopicPartition partition) {
        return Objects.requireNonNull(offsets.get(partition), partition::toString);
    }
}
