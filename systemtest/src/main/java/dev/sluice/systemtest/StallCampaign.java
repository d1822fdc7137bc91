package dev.sluice.systemtest;

import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// A file system that is frozen (fsfreeze) under producers: what a broker on it answers meanwhile, and that nothing is
/// missing afterwards. Needs root.
///
/// For each file system a broker in a process of its own, producers on partitions of their own, and a reader that asks
/// in turn for records that are cached, and for metadata. Then once more with a broker that waits for the disk: the
/// control, which answers nothing.
final class StallCampaign {
    private static final long DISK_BYTES = 512L << 20;
    private static final int PRODUCERS = 4;
    private static final int RECORD_BYTES = 1_000;
    private static final int CACHED_RECORDS = 100;
    private static final long PACE_MS = 1;
    private static final long PATIENCE_MS = 200;
    private static final Duration POLL = Duration.ofMillis(500);
    private static final int POLLS_BOUND = 60;
    private static final Pattern SAFEPOINT = Pattern.compile("Reaching safepoint: (\\d+) ns, .*Total: (\\d+) ns");

    private StallCampaign() {}

    /// Arguments: the repository's root, and for how many seconds each file system is frozen.
    static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: StallCampaign HOME SECONDS");
            System.exit(2);
        }
        boolean held = true;
        for (String type : List.of("ext4", "xfs")) {
            held &= run(Path.of(args[0]), type, Long.parseLong(args[1]), PATIENCE_MS) > 0;
        }
        held &= run(Path.of(args[0]), "ext4", Long.parseLong(args[1]), 0) == 0;
        System.exit(held ? 0 : 1);
    }

    /// @return exchanges that were answered while the stall was known
    private static int run(Path home, String type, long seconds, long patienceMs) throws Exception {
        Path shm = Path.of("/dev/shm");
        Path work = Files.createTempDirectory(Files.isWritable(shm) ? shm : Path.of("/var/tmp"), "sluice-stall");
        Path safepoints = work.resolve("safepoints.log");
        try (LoopFileSystem disk = LoopFileSystem.create(work, type, DISK_BYTES);
                BrokerProcess broker = BrokerProcess.start(
                        home,
                        disk.folder().resolve("data"),
                        List.of("--set", "sluice.disk.patience.ms=" + patienceMs),
                        Map.of("SLUICE_OPTS", "-Xlog:safepoint:file=" + safepoints))) {
            Figures figures = freeze(broker, disk, seconds);
            int stopped = broker.stop();
            CampaignFailure.require(stopped == 0, "the broker ended with " + stopped + ":\n" + broker.screen());
            System.out.println(String.format(
                    Locale.ROOT,
                    "%s frozen for %d s, patience %d ms: %d exchanges while the stall was known%s, the longest of all %.0f ms;"
                            + " %d records acknowledged, %d of them while frozen, all of them kept, in order and once; %s",
                    type,
                    seconds,
                    patienceMs,
                    figures.nanos().length,
                    quantiles(figures.nanos()),
                    figures.longestNs() / 1e6,
                    figures.acknowledged(),
                    figures.acknowledgedFrozen(),
                    longestSafepoint(safepoints)));
            return figures.nanos().length;
        } finally {
            Files.deleteIfExists(safepoints);
            Files.delete(work);
        }
    }

    /// @param nanos of exchanges that began when the stall was known and ended before the thaw, rising
    private record Figures(long[] nanos, long longestNs, long acknowledged, long acknowledgedFrozen) {}

    private static String quantiles(long[] rising) {
        return rising.length == 0
                ? ""
                : String.format(
                        Locale.ROOT, " (p50 %.1f ms, p99.9 %.1f ms)", quantile(rising, 0.5), quantile(rising, 0.999));
    }

    private static double quantile(long[] rising, double share) {
        return rising[(int) (share * (rising.length - 1))] / 1e6;
    }

    private static String longestSafepoint(Path log) throws IOException {
        long reaching = 0;
        long total = 0;
        int count = 0;
        for (String line : Files.readAllLines(log)) {
            Matcher matcher = SAFEPOINT.matcher(line);
            if (matcher.find()) {
                count++;
                reaching = Math.max(reaching, Long.parseLong(matcher.group(1)));
                total = Math.max(total, Long.parseLong(matcher.group(2)));
            }
        }
        return String.format(
                Locale.ROOT,
                "%d safepoints, the longest wait for one %.1f ms, the longest in all %.1f ms",
                count,
                reaching / 1e6,
                total / 1e6);
    }

    private static Figures freeze(BrokerProcess broker, LoopFileSystem disk, long seconds) throws Exception {
        try (Producer cached = new Producer(broker, "cached")) {
            for (int i = 0; i < CACHED_RECORDS; i++) {
                cached.send();
            }
        }
        List<Producer> producers = new ArrayList<>();
        for (int i = 0; i < PRODUCERS; i++) {
            Producer producer = new Producer(broker, "load-" + i);
            producer.start();
            producers.add(producer);
        }
        try (Reader reader = new Reader(broker)) {
            reader.start();
            TimeUnit.SECONDS.sleep(2);
            disk.freeze();
            long frozenNs = System.nanoTime();
            long thawedNs;
            long before;
            long after;
            try {
                // What was on its way to the producers when it froze is with them by then.
                TimeUnit.MILLISECONDS.sleep(2 * PATIENCE_MS);
                before = acknowledged(producers);
                collect(broker);
                TimeUnit.MILLISECONDS.sleep(Math.max(0, seconds * 1_000 - 2 * PATIENCE_MS));
                after = acknowledged(producers);
            } finally {
                thawedNs = System.nanoTime();
                disk.thaw();
            }
            TimeUnit.SECONDS.sleep(2);
            long count = 0;
            for (Producer producer : producers) {
                producer.close();
                count += producer.acknowledged.get();
                checkKept(broker, producer);
            }
            long knownNs = frozenNs + TimeUnit.MILLISECONDS.toNanos(2 * PATIENCE_MS);
            return new Figures(reader.between(knownNs, thawedNs), reader.longest(), count, after - before);
        }
    }

    private static long acknowledged(List<Producer> producers) {
        return producers.stream()
                .mapToLong(producer -> producer.acknowledged.get())
                .sum();
    }

    /// A collection, for which every thread of the broker has to come to a stop.
    private static void collect(BrokerProcess broker) throws IOException, InterruptedException {
        Path jcmd = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        Processes.run(Duration.ofSeconds(30), List.of(jcmd.toString(), Long.toString(broker.pid()), "GC.run"))
                .orThrow("jcmd GC.run");
    }

    /// Sends numbered records, one after the other, until it is closed.
    private static final class Producer implements AutoCloseable {
        private final KafkaProducer<byte[], byte[]> client;
        private final String topic;
        private final AtomicLong acknowledged = new AtomicLong();
        private final Thread thread = new Thread(this::run);
        private volatile boolean stopped;
        private volatile Exception failed;

        Producer(BrokerProcess broker, String topic) {
            this.topic = topic;
            Properties properties = new Properties();
            properties.putAll(Map.of("bootstrap.servers", broker.bootstrap(), "acks", "all", "linger.ms", "0"));
            this.client = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
        }

        void start() {
            thread.start();
        }

        private void run() {
            try {
                while (!stopped) {
                    send();
                    TimeUnit.MILLISECONDS.sleep(PACE_MS); // a load, and the disk is small
                }
            } catch (Exception e) {
                failed = e;
            }
        }

        void send() throws Exception {
            byte[] value = ByteBuffer.allocate(RECORD_BYTES)
                    .putLong(acknowledged.get())
                    .array();
            client.send(new ProducerRecord<>(topic, 0, null, value)).get();
            acknowledged.incrementAndGet();
        }

        @Override
        public void close() throws Exception {
            stopped = true;
            thread.join();
            client.close();
            CampaignFailure.require(failed == null, topic + ": a record was not taken: " + failed);
        }
    }

    /// Asks for cached records and for metadata in turn, and knows how long each took.
    private static final class Reader implements AutoCloseable {
        private final RawKafkaClient client;
        private final Thread thread = new Thread(this::run);
        private volatile boolean stopped;

        // Guarded by this.
        private final List<long[]> beganAndEnded = new ArrayList<>();

        Reader(BrokerProcess broker) throws IOException {
            int colon = broker.bootstrap().indexOf(':');
            this.client = RawKafkaClient.connect(new InetSocketAddress(
                    broker.bootstrap().substring(0, colon),
                    Integer.parseInt(broker.bootstrap().substring(colon + 1))));
        }

        void start() {
            thread.start();
        }

        private void run() {
            try {
                while (!stopped) {
                    measure(this::fetch);
                    measure(() -> client.ask(
                            ApiKeys.METADATA,
                            12,
                            new MetadataRequestData().setTopics(null),
                            MetadataResponseData.class));
                    TimeUnit.MILLISECONDS.sleep(PACE_MS);
                }
            } catch (Exception e) {
                throw new CampaignFailure("the reader failed: " + e);
            }
        }

        private interface Question {
            Object ask() throws IOException;
        }

        private void measure(Question question) throws IOException {
            long beganNs = System.nanoTime();
            question.ask();
            long endedNs = System.nanoTime();
            synchronized (this) {
                beganAndEnded.add(new long[] {beganNs, endedNs});
            }
        }

        private FetchResponseData fetch() throws IOException {
            FetchRequestData request = new FetchRequestData()
                    .setMaxWaitMs(0)
                    .setMinBytes(1)
                    .setMaxBytes(Integer.MAX_VALUE)
                    .setSessionEpoch(-1);
            request.topics()
                    .add(new FetchRequestData.FetchTopic()
                            .setTopic("cached")
                            .setPartitions(List.of(new FetchRequestData.FetchPartition()
                                    .setPartition(0)
                                    .setPartitionMaxBytes(Integer.MAX_VALUE))));
            FetchResponseData answer = client.ask(ApiKeys.FETCH, 12, request, FetchResponseData.class);
            var partition = answer.responses().getFirst().partitions().getFirst();
            CampaignFailure.require(
                    partition.errorCode() == 0 && partition.records().sizeInBytes() > CACHED_RECORDS * RECORD_BYTES,
                    "a fetch of cached records was answered " + partition.errorCode());
            return answer;
        }

        synchronized long[] between(long fromNs, long toNs) {
            return beganAndEnded.stream()
                    .filter(each -> each[0] - fromNs >= 0 && each[1] - toNs <= 0)
                    .mapToLong(each -> each[1] - each[0])
                    .sorted()
                    .toArray();
        }

        synchronized long longest() {
            return beganAndEnded.stream()
                    .mapToLong(each -> each[1] - each[0])
                    .max()
                    .orElse(0);
        }

        @Override
        public void close() throws Exception {
            stopped = true;
            thread.join();
            client.close();
        }
    }

    /// Every record that was acknowledged is there, in its place and once.
    private static void checkKept(BrokerProcess broker, Producer producer) {
        Properties properties = new Properties();
        properties.putAll(Map.of("bootstrap.servers", broker.bootstrap(), "auto.offset.reset", "earliest"));
        TopicPartition partition = new TopicPartition(producer.topic, 0);
        long wanted = producer.acknowledged.get();
        long next = 0;
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            for (int polls = 0; next < wanted && polls < POLLS_BOUND; polls++) {
                for (var record : consumer.poll(POLL)) {
                    long number = ByteBuffer.wrap(record.value()).getLong();
                    CampaignFailure.require(
                            number == next && record.offset() == next,
                            partition + ": record " + number + " at offset " + record.offset() + ", where " + next
                                    + " belongs");
                    next++;
                }
            }
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            CampaignFailure.require(
                    next == wanted && end == wanted,
                    partition + ": " + wanted + " acknowledged, " + next + " read, the end is " + end);
        }
    }
}
