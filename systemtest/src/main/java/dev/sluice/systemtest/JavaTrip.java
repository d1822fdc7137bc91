package dev.sluice.systemtest;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// A program of its own that any Java client from 2.8 on can run: makes a topic, produces with each compression, reads
/// all of it back in a group, and finds nothing more when the group comes back. Uses nothing that is not in 2.8.
final class JavaTrip {
    private static final String TOPIC = "trip";
    private static final int PARTITIONS = 3;
    private static final Duration POLL = Duration.ofMillis(500);
    private static final long PATIENCE_NS = Duration.ofSeconds(60).toNanos();
    private static final List<String> CODECS = List.of("none", "gzip", "snappy", "lz4", "zstd");

    private JavaTrip() {}

    /// Arguments: broker, number of records, group protocol or "" for a client that has but one.
    public static void main(String[] args) throws Exception {
        String broker = args[0];
        int count = Integer.parseInt(args[1]);
        Properties common = new Properties();
        common.put("bootstrap.servers", broker);
        try (Admin admin = Admin.create(common)) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get();
        }
        for (int c = 0; c < CODECS.size(); c++) {
            produce(common, CODECS.get(c), c, count);
        }
        Properties group = new Properties();
        group.putAll(common);
        group.putAll(Map.of("group.id", "trip", "auto.offset.reset", "earliest", "enable.auto.commit", "false"));
        if (!args[2].isEmpty()) {
            group.put("group.protocol", args[2]);
        }
        consumeAll(group, count);
        findNothing(group);
        System.out.println("OK " + count);
    }

    private static void produce(Properties common, String codec, int first, int count) throws Exception {
        Properties properties = new Properties();
        properties.putAll(common);
        properties.putAll(Map.of("acks", "all", "enable.idempotence", "true", "compression.type", codec));
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            Future<RecordMetadata> last = null;
            for (int i = first; i < count; i += CODECS.size()) {
                ProducerRecord<String, String> record =
                        new ProducerRecord<>(TOPIC, i % PARTITIONS, "key " + i, value(i));
                record.headers().add("number", Integer.toString(i).getBytes(StandardCharsets.UTF_8));
                last = producer.send(record);
            }
            producer.flush();
            if (last != null) {
                last.get();
            }
        }
    }

    /// Every tenth is a tombstone, every tenth empty.
    private static String value(int i) {
        return switch (i % 10) {
            case 3 -> "";
            case 7 -> null;
            default -> "value " + i;
        };
    }

    private static void consumeAll(Properties group, int count) {
        Set<Integer> seen = new HashSet<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(group, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            long startNs = System.nanoTime();
            while (seen.size() < count) {
                for (ConsumerRecord<String, String> record : consumer.poll(POLL)) {
                    int i = Integer.parseInt(
                            new String(record.headers().lastHeader("number").value(), StandardCharsets.UTF_8));
                    require(
                            record.partition() == i % PARTITIONS
                                    && record.key().equals("key " + i)
                                    && Objects.equals(record.value(), value(i))
                                    && seen.add(i),
                            "record " + i + " came back as " + record);
                }
                require(System.nanoTime() - startNs < PATIENCE_NS, seen.size() + " of " + count + " came");
            }
            consumer.commitSync();
        }
    }

    private static void findNothing(Properties group) {
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(group, new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of(TOPIC));
            long startNs = System.nanoTime();
            while (consumer.assignment().size() < PARTITIONS) {
                require(consumer.poll(POLL).isEmpty(), "records came again that were committed");
                require(System.nanoTime() - startNs < PATIENCE_NS, "the group got no partitions the second time");
            }
            require(consumer.poll(POLL).isEmpty(), "records came again that were committed");
        }
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalStateException(message);
        }
    }
}
