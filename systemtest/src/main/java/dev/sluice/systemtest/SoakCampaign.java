package dev.sluice.systemtest;

import dev.sluice.testkit.VirtualDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToLongFunction;
import org.apache.kafka.common.protocol.Errors;

/// A broker under everything that comes and goes, for a while: connections, topics, segments that roll and expire. What
/// it takes up is looked at all the time, and must not go on rising.
final class SoakCampaign {
    private static final int CLIENTS = 6;
    private static final int MOST_RECORD_BYTES = 16 << 10;
    private static final int ROUNDS_A_CONNECTION = 200;
    private static final int ROUNDS_A_TOPIC = 50;
    private static final int SAMPLES = 60;
    /// The beginning does not count: code is compiled, pools fill.
    private static final int WARM_SAMPLES = SAMPLES / 4;

    private static final List<String> SETTINGS = List.of(
            "log.segment.bytes=1048576",
            "log.retention.bytes=8388608",
            "log.retention.check.interval.ms=200",
            "log.flush.offset.checkpoint.interval.ms=500");

    private final AtomicReference<String> complaint = new AtomicReference<>();
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong connections = new AtomicLong();
    private final AtomicLong topics = new AtomicLong();
    private volatile boolean stopped;

    private SoakCampaign() {}

    /// Arguments: the repository's root, minutes.
    static void main(String[] args) throws Exception {
        if (args.length != 2) {
            System.err.println("usage: SoakCampaign HOME MINUTES");
            System.exit(2);
        }
        Path data = Files.createTempDirectory("sluice-soak");
        boolean held;
        try {
            held = new SoakCampaign().run(Path.of(args[0]), data, Double.parseDouble(args[1]));
        } finally {
            VirtualDisk.remove(data);
        }
        System.exit(held ? 0 : 1);
    }

    private record Sample(double hours, Footprint of) {}

    private boolean run(Path home, Path data, double minutes) throws IOException, InterruptedException {
        List<String> options = new ArrayList<>();
        SETTINGS.forEach(setting -> options.addAll(List.of("--set", setting)));
        try (BrokerProcess broker = BrokerProcess.start(home, data, options, Map.of())) {
            try (CrashClient client = CrashClient.connect(broker.port())) {
                client.createTopic(CLIENTS);
            }
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int number = i;
                threads.add(Thread.ofPlatform().name("soak-" + i).start(() -> load(broker.port(), number)));
            }
            List<Sample> samples = new ArrayList<>();
            long startNs = System.nanoTime();
            long everyNs = (long) (minutes * 60e9 / SAMPLES);
            for (int i = 1; i <= SAMPLES && complaint.get() == null; i++) {
                TimeUnit.NANOSECONDS.sleep(startNs + i * everyNs - System.nanoTime());
                samples.add(new Sample((System.nanoTime() - startNs) / 3.6e12, Footprint.of(broker)));
            }
            stopped = true;
            for (Thread thread : threads) {
                thread.join();
            }
            CampaignFailure.require(complaint.get() == null, complaint.get());
            System.out.printf(
                    Locale.ROOT,
                    "%.1f minutes: %d records, %d connections, %d topics made and deleted%n",
                    minutes,
                    records.get(),
                    connections.get(),
                    topics.get());
            boolean held = tell(samples);
            CampaignFailure.require(broker.stop() == 0, "the broker's exit code was not 0:\n" + broker.screen());
            return held;
        }
    }

    private void load(int port, int partition) {
        Random random = new Random(partition);
        try {
            for (int connection = 0; !stopped; connection++) {
                try (CrashClient client = CrashClient.connect(port)) {
                    connections.incrementAndGet();
                    load(client, partition, random, connection);
                }
            }
        } catch (IOException | RuntimeException e) {
            complaint.compareAndSet(null, "client " + partition + ": " + e);
        }
    }

    private void load(CrashClient client, int partition, Random random, int connection) throws IOException {
        CrashClient.ProducerIdentity producer = client.newProducer();
        for (int round = 0; round < ROUNDS_A_CONNECTION && !stopped; round++) {
            CrashClient.Stored stored =
                    client.produce(partition, producer, round, List.of(new byte[random.nextInt(MOST_RECORD_BYTES)]));
            CampaignFailure.require(stored.error() == Errors.NONE, "a record was refused: " + stored.error());
            long from = Math.max(client.startOffset(partition), stored.baseOffset() - random.nextInt(500));
            client.fetchBytes(partition, from); // which may have expired by now
            records.incrementAndGet();
            if (round % ROUNDS_A_TOPIC == 0) {
                String name = "soak-" + partition + "-" + connection + "-" + round;
                client.createTopic(name, 1);
                client.deleteTopic(name);
                topics.incrementAndGet();
            }
        }
    }

    /// Descriptors, maps and threads go up and down with the load. What leaks is told by the least that a time has:
    /// it rises.
    private static boolean tell(List<Sample> samples) {
        List<Sample> warm = samples.subList(WARM_SAMPLES, samples.size());
        System.out.println("first: " + warm.getFirst().of());
        System.out.println("last:  " + warm.getLast().of());
        boolean descriptors = tell("descriptors", warm, Footprint::descriptors);
        boolean maps = tell("maps", warm, Footprint::maps);
        boolean threads = tell("threads", warm, Footprint::threads);
        tell("KiB resident", warm, Footprint::residentKiB);
        tell("KiB its own", warm, Footprint::anonymousKiB);
        return descriptors && maps && threads;
    }

    /// @return whether the last third ever came down to what the first third had at most
    private static boolean tell(String what, List<Sample> samples, ToLongFunction<Footprint> number) {
        int third = samples.size() / 3;
        long before = samples.subList(0, third).stream()
                .mapToLong(each -> number.applyAsLong(each.of()))
                .max()
                .orElseThrow();
        long after = samples.subList(samples.size() - third, samples.size()).stream()
                .mapToLong(each -> number.applyAsLong(each.of()))
                .min()
                .orElseThrow();
        boolean held = after <= before;
        System.out.printf(
                Locale.ROOT,
                "%-14s slope %+.1f an hour; most of the first third %d, least of the last %d%s%n",
                what,
                slope(samples, number),
                before,
                after,
                held ? "" : "  RISES");
        return held;
    }

    /// By least squares.
    private static double slope(List<Sample> samples, ToLongFunction<Footprint> number) {
        double meanX = samples.stream().mapToDouble(Sample::hours).average().orElseThrow();
        double meanY = samples.stream()
                .mapToLong(each -> number.applyAsLong(each.of()))
                .average()
                .orElseThrow();
        double xy = 0;
        double xx = 0;
        for (Sample each : samples) {
            xy += (each.hours() - meanX) * (number.applyAsLong(each.of()) - meanY);
            xx += (each.hours() - meanX) * (each.hours() - meanX);
        }
        return xy / xx;
    }
}
