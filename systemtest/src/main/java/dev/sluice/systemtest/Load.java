package dev.sluice.systemtest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.zip.CRC32C;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// The Java clients as a load that can be checked: the record at offset `n` of a partition is a function of `n`.
final class Load {
    private static final Duration POLL = Duration.ofMillis(500);
    private static final int EMPTY_POLLS_BOUND = 40;

    private Load() {}

    /// What was sent and read, for comparison.
    ///
    /// @param crc of all values, in order
    record Sum(long records, long bytes, long crc) {}

    /// Produces values of random bytes into partition 0, idempotently.
    ///
    /// @param batchBytes `batch.size`: the client fills batches up to it, for there is always more to send
    static Sum produce(String bootstrap, String topic, long totalBytes, int recordBytes, int batchBytes, String acks)
            throws ExecutionException, InterruptedException {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "bootstrap.servers",
                bootstrap,
                "acks",
                acks,
                "enable.idempotence",
                Boolean.toString(acks.equals("all")),
                "batch.size",
                Integer.toString(batchBytes),
                "linger.ms",
                "50",
                "max.request.size",
                Integer.toString(Math.max(1 << 20, batchBytes + 4096)),
                "buffer.memory",
                "67108864"));
        Random random = new Random(recordBytes);
        byte[] value = new byte[recordBytes];
        random.nextBytes(value);
        CRC32C crc = new CRC32C();
        long records = totalBytes / recordBytes;
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> last = new ArrayList<>();
            for (long i = 0; i < records; i++) {
                byte[] own = value.clone();
                stamp(own, i);
                crc.update(own);
                Future<RecordMetadata> sent = producer.send(new ProducerRecord<>(topic, 0, null, own));
                if (records - i <= 1_000) {
                    last.add(sent);
                }
            }
            producer.flush();
            for (Future<RecordMetadata> sent : last) {
                sent.get();
            }
        }
        return new Sum(records, records * recordBytes, crc.getValue());
    }

    private static void stamp(byte[] value, long number) {
        for (int i = 0; i < Long.BYTES && i < value.length; i++) {
            value[i] = (byte) (number >>> (8 * i));
        }
    }

    /// Reads partition 0 from the beginning to the end it has now, and checks that offsets follow one another.
    static Sum consume(String bootstrap, String topic) {
        CRC32C crc = new CRC32C();
        long[] sum = new long[2];
        readAll(bootstrap, topic, record -> {
            byte[] value = record.value();
            crc.update(value);
            sum[0]++;
            sum[1] += value.length;
        });
        return new Sum(sum[0], sum[1], crc.getValue());
    }

    /// Is shown every record in order.
    @FunctionalInterface
    interface Reader {
        void record(ConsumerRecord<byte[], byte[]> record);
    }

    static void readAll(String bootstrap, String topic, Reader reader) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "bootstrap.servers", bootstrap,
                "auto.offset.reset", "earliest",
                "enable.auto.commit", "false",
                "check.crcs", "true",
                "max.partition.fetch.bytes", "1048576"));
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            long next = consumer.position(partition);
            int empty = 0;
            while (next < end) {
                List<ConsumerRecord<byte[], byte[]>> records =
                        consumer.poll(POLL).records(partition);
                empty = records.isEmpty() ? empty + 1 : 0;
                CampaignFailure.require(
                        empty < EMPTY_POLLS_BOUND,
                        topic + ": nothing came from offset " + next + ", the end is " + end);
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    CampaignFailure.require(
                            record.offset() == next, topic + ": offset " + record.offset() + " came for " + next);
                    reader.record(record);
                    next++;
                }
            }
        }
    }
}
