package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Options;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/// `bin/bench topics`: many topics in Sluice and in Apache Kafka, one after the other, by Kafka's own Java clients. See
/// bench/README.md.
final class TopicsBench {
    /// Topics that one request makes.
    private static final int TOPICS_OF_A_REQUEST = 100;

    private static final int VALUE_CHARACTERS = 100;
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(120);
    private static final long LOOK_MS = 50;

    private final List<Subject> subjects = new ArrayList<>();
    private int topics = 1000;
    private int partitions = 4;
    private int records = 10;
    private Path data = Path.of("target", "bench", "data");

    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) {
        TopicsBench bench = new TopicsBench();
        bench.options().run(arguments, (_, target) -> bench.run(target));
    }

    private Options options() {
        return new Options("topics", "Many topics in Sluice and in Apache Kafka, by Kafka's own Java clients.")
                .number("--topics", 1, "(1000)", value -> topics = value)
                .number("--partitions", 1, "of each topic (4)", value -> partitions = value)
                .number("--records", 1, "to each partition, of 100 bytes (10)", value -> records = value)
                .text(
                        "--subject",
                        "NAME",
                        "may be given again: sluice kafka (both without it)",
                        value -> subjects.add(Subject.of(value)))
                .path("--data", "DIR", "where servers keep their data (target/bench/data)", value -> data = value);
    }

    /// @param classpaths where files tell of what the peers are made
    private void run(Path classpaths) throws IOException, InterruptedException, ExecutionException {
        if (subjects.isEmpty()) {
            subjects.addAll(List.of(Subject.SLUICE, Subject.KAFKA));
        }
        System.out.printf(
                "%d topics of %d partitions, %d records of %d bytes to each partition%n%n",
                topics, partitions, records, VALUE_CHARACTERS);
        System.out.println("| subject | step | seconds | server's CPU s | resident MiB | of it anonymous |");
        System.out.println("|---|---|---|---|---|---|");
        for (Subject subject : subjects) {
            try (Peer peer = subject.start(data, classpaths)) {
                Server server = peer.server();
                tell(server, "started", 0, server.processCpuNs());
                step(server, "create", this::create);
                step(server, "produce to all", this::produce);
                step(server, "consume from all", this::consume);
                long begunNs = System.nanoTime();
                server.stop();
                System.out.printf("| %s | stop | %.2f | | | |%n", server.label(), (System.nanoTime() - begunNs) / 1e9);
                begunNs = System.nanoTime();
                server.startAgain();
                tell(server, "start again", System.nanoTime() - begunNs, server.processCpuNs());
                step(server, "consume from all again", this::consume);
            }
        }
    }

    @FunctionalInterface
    private interface Step {
        void run(String bootstrap) throws InterruptedException, ExecutionException;
    }

    private static void step(Server server, String name, Step step)
            throws IOException, InterruptedException, ExecutionException {
        long begunNs = System.nanoTime();
        long cpuNs = server.processCpuNs();
        step.run(server.bootstrap());
        tell(server, name, System.nanoTime() - begunNs, server.processCpuNs() - cpuNs);
    }

    private static void tell(Server server, String step, long tookNs, long cpuNs) throws IOException {
        System.out.printf(
                "| %s | %s | %.2f | %.2f | %d | %d |%n",
                server.label(),
                step,
                tookNs / 1e9,
                cpuNs / 1e9,
                server.statusMib("VmRSS"),
                server.statusMib("RssAnon"));
    }

    // ---- The steps

    private static String topic(int number) {
        return "topic-" + number;
    }

    private List<String> names() {
        return IntStream.range(0, topics).mapToObj(TopicsBench::topic).toList();
    }

    private static String value(int topic, int partition, int record) {
        String head = topic + " " + partition + " " + record + " ";
        return head + "x".repeat(VALUE_CHARACTERS - head.length());
    }

    /// Makes them, and waits until all have leaders.
    private void create(String bootstrap) throws InterruptedException, ExecutionException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap, "request.timeout.ms", "120000"))) {
            List<String> names = names();
            for (int from = 0; from < topics; from += TOPICS_OF_A_REQUEST) {
                admin.createTopics(names.subList(from, Math.min(topics, from + TOPICS_OF_A_REQUEST)).stream()
                                .map(name -> new NewTopic(name, partitions, (short) 1))
                                .toList())
                        .all()
                        .get();
            }
            long begunNs = System.nanoTime();
            while (!haveLeaders(admin, names)) {
                if (System.nanoTime() - begunNs > PATIENCE_NS) {
                    throw new IllegalStateException("not every partition has a leader");
                }
                Thread.sleep(LOOK_MS); // Kafka's broker learns of a topic a moment after its controller has answered
            }
        }
    }

    private boolean haveLeaders(Admin admin, List<String> names) throws InterruptedException, ExecutionException {
        try {
            return admin.describeTopics(names).allTopicNames().get().values().stream()
                    .allMatch(topic -> topic.partitions().size() == partitions
                            && topic.partitions().stream().allMatch(each -> each.leader() != null));
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw e;
        }
    }

    private void produce(String bootstrap) throws InterruptedException, ExecutionException {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrap, "acks", "all", "buffer.memory", "134217728"),
                new StringSerializer(),
                new StringSerializer())) {
            List<Future<RecordMetadata>> sent = new ArrayList<>();
            for (int topic = 0; topic < topics; topic++) {
                for (int partition = 0; partition < partitions; partition++) {
                    for (int record = 0; record < records; record++) {
                        sent.add(producer.send(
                                new ProducerRecord<>(topic(topic), partition, null, value(topic, partition, record))));
                    }
                }
            }
            producer.flush();
            for (Future<RecordMetadata> each : sent) {
                each.get();
            }
        }
    }

    /// Reads everything, and compares every record.
    private void consume(String bootstrap) {
        List<TopicPartition> all = IntStream.range(0, topics)
                .boxed()
                .flatMap(topic -> IntStream.range(0, partitions)
                        .mapToObj(partition -> new TopicPartition(topic(topic), partition)))
                .toList();
        Map<TopicPartition, Integer> next = new HashMap<>();
        long left = (long) all.size() * records;
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", bootstrap, "auto.offset.reset", "earliest", "enable.auto.commit", "false"),
                new StringDeserializer(),
                new StringDeserializer())) {
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (left > 0) {
                for (ConsumerRecord<String, String> each : consumer.poll(Duration.ofSeconds(30))) {
                    TopicPartition from = new TopicPartition(each.topic(), each.partition());
                    int record = next.merge(from, 1, Integer::sum) - 1;
                    int topic = Integer.parseInt(each.topic().substring("topic-".length()));
                    if (each.offset() != record || !each.value().equals(value(topic, each.partition(), record))) {
                        throw new IllegalStateException(from + " has at offset " + each.offset() + " " + each.value());
                    }
                    left--;
                }
            }
        }
    }
}
