package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// `bin/bench local`: one topic, read to its end by a local reader, by Kafka's Java consumer and by kcat, in turns;
/// then how long after its acknowledgement a record is seen. See bench/README.md.
final class LocalBench {
    private static final String TOPIC = "local-bench";
    private static final String LATENCY_TOPIC = "local-latency";
    private static final int BATCH_BYTES = 64 << 10;
    private static final double GIB = 1 << 30;

    /// Who reads.
    enum Reader {
        LOCAL("local reader"),
        LOCAL_UNCHECKED("local reader, without checksums"),
        JAVA("Kafka's Java consumer"),
        KCAT("kcat");

        final String label;

        Reader(String label) {
            this.label = label;
        }
    }

    /// One reading of the whole topic.
    ///
    /// @param clientNs CPU of the reader's process
    /// @param brokerNs CPU of the broker's process meanwhile
    private record Reading(long bytes, long wallNs, long clientNs, long brokerNs) {
        double clientSecondsPerGib() {
            return clientNs / 1e9 / (bytes / GIB);
        }

        double brokerSecondsPerGib() {
            return brokerNs / 1e9 / (bytes / GIB);
        }

        double secondsPerGib() {
            return clientSecondsPerGib() + brokerSecondsPerGib();
        }

        double gigabytesPerSecond() {
            return bytes / (double) wallNs;
        }
    }

    private long mebibytes = 1024;
    private int recordBytes = 1024;
    private int rounds = 5;
    private int warmups = 2;
    private int latencyRecords = 2000;
    private Path data = Path.of("target", "bench", "data");
    private @Nullable Path json;

    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) {
        LocalBench bench = new LocalBench();
        bench.options().run(arguments, (_, target) -> bench.run(target));
    }

    private Options options() {
        return new Options("local", "Reading on the broker's host: in place, by Kafka's Java consumer, by kcat.")
                .number("--mib", 1, "how much the topic holds (1024)", value -> mebibytes = value)
                .number("--record", 1, "bytes of a record's value (1024)", value -> recordBytes = value)
                .number("--rounds", 1, "measured rounds, each a turn of every reader (5)", value -> rounds = value)
                .number("--warmups", 0, "rounds before them (2)", value -> warmups = value)
                .number(
                        "--records",
                        0,
                        "records of the latency run (2000); 0 for none",
                        value -> latencyRecords = value)
                .path("--data", "DIR", "where the broker keeps its data (target/bench/data)", value -> data = value)
                .path("--json", "OUT", "results as JSON too", value -> json = value);
    }

    private void run(Path target) throws IOException, InterruptedException, ExecutionException {
        List<Reader> readers = new ArrayList<>(List.of(Reader.values()));
        if (!Tools.isInstalled("kcat")) {
            System.err.println("kcat is not installed and is left out (Debian: apt install kcat)");
            readers.remove(Reader.KCAT);
        }
        try (Peer peer = Subject.SLUICE.start(data, target)) {
            Server broker = peer.server();
            long records = Math.max(1, (mebibytes << 20) / recordBytes);
            peer.create(TOPIC, 1);
            peer.create(LATENCY_TOPIC, 1);
            fill(broker, records);
            Map<Reader, List<Reading>> readings = new EnumMap<>(Reader.class);
            Map<Reader, String> latencies = new EnumMap<>(Reader.class);
            Map<Reader, LocalBenchChild> children = new EnumMap<>(Reader.class);
            try {
                for (Reader reader : readers) {
                    readings.put(reader, new ArrayList<>());
                    if (reader != Reader.KCAT) {
                        children.put(reader, LocalBenchChild.start(reader, broker, socket(broker)));
                    }
                }
                for (int round = -warmups; round < rounds; round++) {
                    for (Reader reader : readers) {
                        Reading reading = read(reader, children.get(reader), broker, records);
                        if (round >= 0) {
                            readings.getOrDefault(reader, new ArrayList<>()).add(reading);
                        }
                    }
                }
                for (Reader reader : readers) {
                    LocalBenchChild child = children.get(reader);
                    if (latencyRecords > 0 && child != null && reader != Reader.LOCAL_UNCHECKED) {
                        latencies.put(reader, child.ask("latency " + LATENCY_TOPIC + " " + latencyRecords));
                    }
                }
            } finally {
                for (LocalBenchChild child : children.values()) {
                    child.close();
                }
            }
            report(readings, latencies);
        }
    }

    private static Path socket(Server broker) {
        return broker.folder().resolve("data").resolve("local.sock").toAbsolutePath();
    }

    private void fill(Server broker, long records) throws ExecutionException, InterruptedException {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", broker.bootstrap());
        properties.put("batch.size", BATCH_BYTES);
        properties.put("linger.ms", 20);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            byte[] value = new byte[recordBytes];
            for (int i = 0; i < value.length; i++) {
                value[i] = (byte) (i * 31);
            }
            Future<?> last = producer.send(new ProducerRecord<>(TOPIC, 0, null, value));
            for (long i = 1; i < records; i++) {
                last = producer.send(new ProducerRecord<>(TOPIC, 0, null, value));
            }
            last.get();
            producer.send(new ProducerRecord<>(LATENCY_TOPIC, 0, null, value)).get();
        }
    }

    /// @param child the reader's process; null for kcat, which gets a new one each time
    private Reading read(Reader reader, @Nullable LocalBenchChild child, Server broker, long records)
            throws IOException, InterruptedException {
        long brokerNs = broker.cpuNs();
        long bytes = records * recordBytes;
        if (child == null) {
            long startNs = System.nanoTime();
            long clientNs = kcat(broker, records);
            long wallNs = System.nanoTime() - startNs;
            return new Reading(bytes, wallNs, clientNs, broker.cpuNs() - brokerNs);
        }
        long childNs = child.cpuNs();
        String[] answer = child.ask("read " + TOPIC + " " + records).split(" ");
        if (Long.parseLong(answer[0]) != bytes) {
            throw new IOException(reader.label + " read " + answer[0] + " bytes, and there are " + bytes);
        }
        return new Reading(bytes, Long.parseLong(answer[1]), child.cpuNs() - childNs, broker.cpuNs() - brokerNs);
    }

    /// @return CPU that kcat took, in hundredths of a second made to ns: the shell's count
    private static long kcat(Server broker, long records) throws IOException, InterruptedException {
        String command = "kcat -C -b " + broker.bootstrap() + " -t " + TOPIC + " -p 0 -o beginning -e -q -c " + records
                + " >/dev/null; times";
        Tools.Ended ended = Tools.run(List.of("sh", "-c", command));
        String[] lines = ended.output().strip().split("\n");
        if (ended.exitCode() != 0 || lines.length != 2) {
            throw new IOException("kcat failed: " + ended.output());
        }
        double seconds = 0;
        for (String time : lines[1].strip().split("\\s+")) { // 0m1.230000s
            String[] parts = time.split("[ms]");
            seconds += 60 * Double.parseDouble(parts[0]) + Double.parseDouble(parts[1]);
        }
        return (long) (seconds * 1e9);
    }

    private void report(Map<Reader, List<Reading>> readings, Map<Reader, String> latencies) throws IOException {
        System.out.printf(
                "%nOne partition of %d MiB, records of %d bytes, %d rounds; medians, CPU in s/GiB%n%n"
                        + "| reader | GB/s | reader's CPU | broker's CPU | both | Java consumer's ÷ its |%n"
                        + "|---|---|---|---|---|---|%n",
                mebibytes, recordBytes, rounds);
        double[] javas = of(readings.getOrDefault(Reader.JAVA, List.of()), Reading::secondsPerGib);
        List<Map<String, Object>> rows = new ArrayList<>();
        readings.forEach((reader, list) -> {
            double[] both = of(list, Reading::secondsPerGib);
            Ratios ratios = Ratios.of(javas, both);
            double rate = Ratios.median(of(list, Reading::gigabytesPerSecond));
            double client = Ratios.median(of(list, Reading::clientSecondsPerGib));
            double broker = Ratios.median(of(list, Reading::brokerSecondsPerGib));
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.2f | %.3f | %.3f | %.3f | %s |%n",
                    reader.label,
                    rate,
                    client,
                    broker,
                    Ratios.median(both),
                    reader == Reader.JAVA ? "" : ratios.toString());
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("reader", reader.label);
            row.put("gigabytesPerSecond", of(list, Reading::gigabytesPerSecond));
            row.put("clientSecondsPerGib", of(list, Reading::clientSecondsPerGib));
            row.put("brokerSecondsPerGib", of(list, Reading::brokerSecondsPerGib));
            row.put("javaDividedByThis", ratios.median());
            rows.add(row);
        });
        List<Map<String, Object>> latencyRows = new ArrayList<>();
        if (!latencies.isEmpty()) {
            System.out.printf(
                    "%nFrom a record's acknowledgement to its sight, and from its sending, in µs (%d records one by one;"
                            + " below 0: seen before the producer knew)%n%n"
                            + "| reader | p50 | p99 | most | sent: p50 | p99 | most |%n|---|---|---|---|---|---|---|%n",
                    latencyRecords);
        }
        latencies.forEach((reader, figures) -> {
            String[] each = figures.split(" ");
            System.out.println("| " + reader.label + " | " + String.join(" | ", each) + " |");
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("reader", reader.label);
            String[] names = {"ackP50Us", "ackP99Us", "ackMostUs", "sentP50Us", "sentP99Us", "sentMostUs"};
            for (int i = 0; i < names.length; i++) {
                row.put(names[i], Double.valueOf(each[i]));
            }
            latencyRows.add(row);
        });
        if (json != null) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("mebibytes", mebibytes);
            document.put("recordBytes", recordBytes);
            document.put("readings", rows);
            document.put("latencies", latencyRows);
            Json.write(json, document);
        }
    }

    private interface Figure {
        double of(Reading reading);
    }

    private static double[] of(List<Reading> readings, Figure figure) {
        return readings.stream().mapToDouble(figure::of).toArray();
    }
}
