package dev.sluice.bench.broker;

import dev.sluice.io.linux.Kernel;
import dev.sluice.log.local.LocalLog;
import dev.sluice.log.local.LocalReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.ByteBufferDeserializer;

/// The process of one reader: does what lines on its standard input say, and answers each with one.
///
/// ```
/// read TOPIC RECORDS     reads so many from the beginning   BYTES NS
/// latency TOPIC RECORDS  sends and sees one after the other six figures in µs
/// ```
///
/// Each reader looks at the length and at the first byte of every value, and verifies checksums (but for the one that
/// says it does not).
final class LocalBenchReader {
    private static final byte[] VALUE = new byte[100];
    private static final long PAUSE_NS = 300_000;

    private final LocalBench.Reader kind;
    private final String bootstrap;
    private final Path socket;

    /// What the first bytes come to, so that nobody can leave out looking at them.
    private long sum;

    private LocalBenchReader(LocalBench.Reader kind, String bootstrap, Path socket) {
        this.kind = kind;
        this.bootstrap = bootstrap;
        this.socket = socket;
    }

    static void main(String[] arguments) throws Exception {
        LocalBenchReader reader =
                new LocalBenchReader(LocalBench.Reader.valueOf(arguments[0]), arguments[1], Path.of(arguments[2]));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            int records = Integer.parseInt(words[2]);
            System.out.println(
                    words[0].equals("read") ? reader.read(words[1], records) : reader.latency(words[1], records));
        }
        System.exit(reader.sum == 42 ? 3 : 0);
    }

    // ---- Reading it all

    private String read(String topic, long records) throws IOException {
        long startNs = System.nanoTime();
        long bytes = kind == LocalBench.Reader.JAVA ? readByConsumer(topic, records) : readLocally(topic, records);
        return bytes + " " + (System.nanoTime() - startNs);
    }

    private long readLocally(String topic, long records) throws IOException {
        long bytes = 0;
        try (LocalLog log = connect();
                LocalReader reader = log.open(topic, 0, LocalLog.BEGINNING)) {
            for (long i = 0; i < records; i++) {
                while (!reader.next()) {
                    log.await(1_000_000_000);
                }
                MemorySegment value = reader.record().value();
                if (value != null) {
                    bytes += value.byteSize();
                    sum += value.get(ValueLayout.JAVA_BYTE, 0);
                }
            }
        }
        return bytes;
    }

    private LocalLog connect() throws IOException {
        LocalLog.Options options = LocalLog.Options.standard();
        return LocalLog.connect(
                new Kernel(), socket, kind == LocalBench.Reader.LOCAL_UNCHECKED ? options.withoutChecksums() : options);
    }

    private long readByConsumer(String topic, long records) {
        long bytes = 0;
        try (KafkaConsumer<ByteBuffer, ByteBuffer> consumer = consumer(topic)) {
            consumer.seekToBeginning(consumer.assignment());
            for (long left = records; left > 0; ) {
                for (ConsumerRecord<ByteBuffer, ByteBuffer> record : consumer.poll(Duration.ofSeconds(1))) {
                    bytes += record.value().remaining();
                    sum += record.value().get(record.value().position());
                    left--;
                }
            }
        }
        return bytes;
    }

    /// One that fetches as much as it may, and hands out what it fetched without a copy.
    private KafkaConsumer<ByteBuffer, ByteBuffer> consumer(String topic) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("enable.auto.commit", false);
        properties.put("max.poll.records", 100_000);
        properties.put("max.partition.fetch.bytes", 4 << 20);
        properties.put("fetch.max.bytes", 16 << 20);
        properties.put("receive.buffer.bytes", -1);
        properties.put("enable.metrics.push", false);
        KafkaConsumer<ByteBuffer, ByteBuffer> consumer =
                new KafkaConsumer<>(properties, new ByteBufferDeserializer(), new ByteBufferDeserializer());
        consumer.assign(List.of(new TopicPartition(topic, 0)));
        return consumer;
    }

    // ---- One by one

    /// Sends records, each when the one before was seen, beside a thread that waits for them.
    private String latency(String topic, int records) throws Exception {
        long[] seenNs = new long[records];
        long[] sentNs = new long[records];
        long[] ackedNs = new long[records];
        AtomicLong seen = new AtomicLong();
        CountDownLatch ready = new CountDownLatch(1);
        Thread watching = Thread.ofPlatform().start(() -> watch(topic, seenNs, seen, ready));
        ready.await();
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("linger.ms", 0);
        properties.put("enable.metrics.push", false);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.partitionsFor(topic);
            for (int i = 0; i < records; i++) {
                sentNs[i] = System.nanoTime();
                producer.send(new ProducerRecord<>(topic, 0, null, VALUE)).get();
                ackedNs[i] = System.nanoTime();
                while (seen.get() <= i) {
                    Thread.onSpinWait();
                }
                java.util.concurrent.locks.LockSupport.parkNanos(PAUSE_NS); // so that the reader sleeps again
            }
        }
        watching.join();
        return figures(seenNs, ackedNs) + " " + figures(seenNs, sentNs);
    }

    private void watch(String topic, long[] seenNs, AtomicLong seen, CountDownLatch ready) {
        try {
            if (kind == LocalBench.Reader.JAVA) {
                watchByConsumer(topic, seenNs, seen, ready);
            } else {
                watchLocally(topic, seenNs, seen, ready);
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private void watchLocally(String topic, long[] seenNs, AtomicLong seen, CountDownLatch ready) throws IOException {
        try (LocalLog log = connect();
                LocalReader reader = log.open(topic, 0, LocalLog.END)) {
            ready.countDown();
            for (int i = 0; i < seenNs.length; ) {
                if (reader.next()) {
                    seenNs[i++] = System.nanoTime();
                    seen.set(i);
                } else {
                    log.await(1_000_000_000);
                }
            }
        }
    }

    private void watchByConsumer(String topic, long[] seenNs, AtomicLong seen, CountDownLatch ready) {
        try (KafkaConsumer<ByteBuffer, ByteBuffer> consumer = consumer(topic)) {
            consumer.seekToEnd(consumer.assignment());
            consumer.position(consumer.assignment().iterator().next());
            ready.countDown();
            for (int i = 0; i < seenNs.length; ) {
                for (int left = consumer.poll(Duration.ofSeconds(1)).count(); left > 0; left--) {
                    seenNs[i++] = System.nanoTime();
                    seen.set(i);
                }
            }
        }
    }

    /// The median, the 99th percentile and the most, in µs. The first tenth is left out: compilers are at work.
    private static String figures(long[] laterNs, long[] soonerNs) {
        int from = laterNs.length / 10;
        long[] taken = new long[laterNs.length - from];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = (laterNs[from + i] - soonerNs[from + i]) / 1000;
        }
        Arrays.sort(taken);
        return taken[taken.length / 2] + " " + taken[(int) (taken.length * 0.99)] + " " + taken[taken.length - 1];
    }
}
