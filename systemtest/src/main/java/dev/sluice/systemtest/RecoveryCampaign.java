package dev.sluice.systemtest;

import dev.sluice.testkit.VirtualDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.protocol.Errors;

/// How long a broker takes that was not stopped cleanly, for every GiB that it has to read: records above the recovery
/// point, all of them, over several partitions, by so many recovering threads, from the page cache and from the disk.
final class RecoveryCampaign {
    private static final int BATCH_BYTES = 1_000_000;
    private static final int RECORDS_A_BATCH = 10;
    private static final List<Integer> THREADS = List.of(1, 2, 4);
    private static final int RUNS = 3;
    private static final Pattern TOLD = Pattern.compile("in (?:([0-9]+) min )?([0-9.]+) s, all whole");

    private final Path home;
    private final Path data;
    private final long bytes;
    private final int partitions;

    private RecoveryCampaign(Path home, Path data, long bytes, int partitions) {
        this.home = home;
        this.data = data;
        this.bytes = bytes;
        this.partitions = partitions;
    }

    /// Arguments: the repository's root, MiB in all, partitions, and where the data folder is to be made.
    static void main(String[] args) throws Exception {
        if (args.length != 4) {
            System.err.println("usage: RecoveryCampaign HOME MIB PARTITIONS FOLDER");
            System.exit(2);
        }
        Path data = Files.createTempDirectory(Path.of(args[3]), "sluice-recovery");
        try {
            new RecoveryCampaign(Path.of(args[0]), data, Long.parseLong(args[1]) << 20, Integer.parseInt(args[2]))
                    .run();
        } finally {
            VirtualDisk.remove(data);
        }
    }

    private void run() throws IOException, InterruptedException {
        crash(start(1).broker()); // builds, if need be
        List<Started> starts = new ArrayList<>();
        for (int i = 0; i < RUNS; i++) {
            starts.add(start(1));
            crash(starts.getLast().broker());
        }
        double startCpuSeconds = median(starts, Started::cpuSeconds);
        Started filling = start(1);
        fill(filling.broker());
        crash(filling.broker());
        System.out.printf(
                Locale.ROOT,
                "%.2f GiB in %d partitions; medians of %d; seconds as the broker tells them, CPU seconds less those of a start with"
                        + " nothing to recover (%.2f)%n",
                gib(),
                partitions,
                RUNS,
                startCpuSeconds);
        System.out.println("read from   threads    seconds   s/GiB     CPU s   CPU s/GiB   MiB/s");
        for (boolean cold : new boolean[] {false, true}) {
            for (int threads : THREADS) {
                List<Started> runs = new ArrayList<>();
                for (int i = 0; i < RUNS; i++) {
                    runs.add(recover(threads, cold));
                }
                double seconds = median(runs, Started::seconds);
                double cpu = median(runs, Started::cpuSeconds) - startCpuSeconds;
                System.out.printf(
                        Locale.ROOT,
                        "%-10s  %7d  %9.2f  %6.2f  %8.2f  %10.2f  %6.0f%n",
                        cold ? "disk" : "page cache",
                        threads,
                        seconds,
                        seconds / gib(),
                        cpu,
                        cpu / gib(),
                        gib() * 1024 / seconds);
            }
        }
    }

    /// @param cold whether all of it has to come from the disk
    private Started recover(int threads, boolean cold) throws IOException, InterruptedException {
        if (cold) {
            dropFromMemory();
        }
        forgetRecoveryPoint();
        Started started = start(threads);
        String screen = started.broker().screen();
        crash(started.broker());
        Matcher told = TOLD.matcher(screen);
        CampaignFailure.require(told.find(), "recovery did not find everything whole:\n" + screen);
        double minutes = told.group(1) == null ? 0 : Double.parseDouble(told.group(1));
        return new Started(started.broker(), minutes * 60 + Double.parseDouble(told.group(2)), started.cpuSeconds());
    }

    private static double median(List<Started> runs, ToDoubleFunction<Started> number) {
        return runs.stream().mapToDouble(number).sorted().toArray()[runs.size() / 2];
    }

    private double gib() {
        return bytes / (double) (1L << 30);
    }

    /// @param seconds from the command to the first screen, or those that recovery took
    private record Started(BrokerProcess broker, double seconds, double cpuSeconds) {}

    /// @param threads that recover side by side
    private Started start(int threads) throws IOException, InterruptedException {
        long startNs = System.nanoTime();
        BrokerProcess broker = BrokerProcess.start(
                home,
                data,
                List.of(
                        "--set",
                        "num.recovery.threads.per.data.dir=" + threads,
                        "--set",
                        "log.segment.bytes=" + (Integer.MAX_VALUE - (64 << 10)),
                        "--set",
                        "log.retention.ms=-1"),
                Map.of());
        return new Started(broker, (System.nanoTime() - startNs) / 1e9, broker.cpuSeconds());
    }

    private static void crash(BrokerProcess broker) throws InterruptedException {
        broker.kill();
        broker.close();
    }

    private void fill(BrokerProcess broker) throws IOException {
        try (CrashClient client = CrashClient.connect(broker.port())) {
            client.createTopic(partitions);
            long batches = bytes / BATCH_BYTES;
            for (int partition = 0; partition < partitions; partition++) {
                CrashClient.ProducerIdentity producer = client.newProducer();
                byte[] content = new byte[BATCH_BYTES / RECORDS_A_BATCH];
                List<byte[]> batch = java.util.Collections.nCopies(RECORDS_A_BATCH, content);
                int sequence = 0;
                for (long i = partition; i < batches; i += partitions) {
                    CrashClient.Stored stored = client.produce(partition, producer, sequence, batch);
                    CampaignFailure.require(stored.error() == Errors.NONE, "a batch was refused: " + stored.error());
                    sequence += RECORDS_A_BATCH;
                }
            }
        }
    }

    /// Where the last recovery got to, and what a checkpoint has flushed since: all is to be read again.
    private void forgetRecoveryPoint() throws IOException {
        Files.deleteIfExists(data.resolve("recovery-point-offset-checkpoint"));
    }

    private void dropFromMemory() throws IOException {
        try (var files = Files.walk(data)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".log")).toList()) {
                Processes.run(
                                Duration.ofMinutes(5),
                                List.of(
                                        "dd",
                                        "of=" + file,
                                        "oflag=nocache",
                                        "conv=notrunc,fdatasync",
                                        "count=0",
                                        "status=none"))
                        .orThrow("dd");
            }
        }
    }
}
