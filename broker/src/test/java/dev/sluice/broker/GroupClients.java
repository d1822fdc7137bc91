package dev.sluice.broker;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/// Kafka's own clients against a broker under test.
final class GroupClients {
    /// So that members that are gone are missed soon. Heartbeats of the classic protocol are the consumer's to
    /// choose.
    static final String[] QUICK_SESSIONS = {
        "group.min.session.timeout.ms", "100",
        "group.consumer.session.timeout.ms", "1500",
        "group.consumer.heartbeat.interval.ms", "100"
    };

    private GroupClients() {}

    /// A member of a group that reads from the beginning and commits when told.
    ///
    /// @param protocol `classic` or `consumer`
    /// @param more     key, value, key, value…
    static KafkaConsumer<String, String> consumer(String bootstrap, String protocol, String group, String... more) {
        Map<String, Object> settings = new HashMap<>();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("group.id", group);
        settings.put("group.protocol", protocol);
        settings.put("auto.offset.reset", "earliest");
        settings.put("enable.auto.commit", "false");
        settings.put("retry.backoff.ms", "20");
        settings.put("reconnect.backoff.ms", "20");
        if (protocol.equals("classic")) {
            settings.put("session.timeout.ms", "1500");
            settings.put("heartbeat.interval.ms", "100");
        }
        for (int i = 0; i < more.length; i += 2) {
            settings.put(more[i], more[i + 1]);
        }
        return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    }

    static Admin admin(String bootstrap) {
        return Admin.create(Map.of("bootstrap.servers", bootstrap, "retry.backoff.ms", "20"));
    }

    /// Sends the values to a partition, in order, and waits until all are acknowledged.
    static void produce(String bootstrap, String topic, int partition, List<String> values)
            throws ExecutionException, InterruptedException {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap), new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (String value : values) {
                sent.add(producer.send(
                        new ProducerRecord<>(topic, partition, null, value.getBytes(StandardCharsets.UTF_8))));
            }
            for (Future<RecordMetadata> each : sent) {
                each.get();
            }
        }
    }

    /// Polls until there are so many records at least. The test's time-out bounds it.
    static List<String> poll(KafkaConsumer<String, String> consumer, int count) {
        List<String> values = new ArrayList<>();
        while (values.size() < count) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
                values.add(record.value());
            }
        }
        return values;
    }
}
