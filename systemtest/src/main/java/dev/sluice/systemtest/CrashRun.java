package dev.sluice.systemtest;

import dev.sluice.io.linux.Kernel;
import dev.sluice.log.CheckReport;
import dev.sluice.log.DirectoryCheck;
import dev.sluice.log.LogConfig;
import dev.sluice.testbase.LastingPort;
import dev.sluice.testkit.Anomaly;
import dev.sluice.testkit.History;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// The cycles of one [CrashCase]: load, crash at a random time, restart, read what is there and hold it against what
/// was acknowledged; at the end everything is read once more, and the folder of the stopped broker is checked.
final class CrashRun {
    private static final int LEAST_RECORDS = 20;
    private static final int MOST_RECORDS = 600;
    private static final int MOST_EXTRA_MS = 60;
    private static final long PROGRESS_BOUND_NS = 300_000_000_000L;
    private static final int KEPT_ANOMALIES = 5;

    /// Shorter than a cycle.
    private static final int INTERVAL_MS = 50;
    /// Small segments, so that rolls are hit too; and larger ones, which are filled ahead by larger pieces.
    private static final List<Integer> SEGMENT_BYTES = List.of(256 << 10, 2 << 20);
    /// A process that lives for half a second gains nothing from the second compiler, and starts for a third less.
    private static final Map<String, String> ENVIRONMENT = Map.of("SLUICE_OPTS", "-XX:TieredStopAtLevel=1");

    /// What came of a case.
    ///
    /// @param endedInZeros crashes after which a log ended in zeros
    /// @param cut        crashes after which something was cut off a log
    /// @param recoveryNs from the command to the address on the screen, sorted
    record Result(
            CrashCase of,
            int cycles,
            long seed,
            long acknowledged,
            Map<Anomaly.Kind, Long> anomalies,
            int endedInZeros,
            int cut,
            long oldestLostMs,
            List<Long> recoveryNs,
            List<String> failures) {
        long recoveryP50Ms() {
            return recoveryNs.isEmpty() ? 0 : recoveryNs.get(recoveryNs.size() / 2) / 1_000_000;
        }

        long recoveryMaxMs() {
            return recoveryNs.isEmpty() ? 0 : recoveryNs.getLast() / 1_000_000;
        }
    }

    private final Path home;
    private final CrashCase of;
    private final Random random;
    private final long seed;
    private final int port;
    private final int segmentBytes;
    private final History history = new History(KEPT_ANOMALIES);
    private final List<Long> recoveryNs = new ArrayList<>();
    private final CrashEnds ends = new CrashEnds();
    private final long[] verified = new long[CrashLoad.PARTITIONS];

    private CrashRun(Path home, CrashCase of, long seed) throws IOException {
        this.home = home;
        this.of = of;
        this.seed = seed;
        this.random = new Random(seed);
        this.port = LastingPort.find();
        this.segmentBytes = SEGMENT_BYTES.get(random.nextInt(SEGMENT_BYTES.size()));
    }

    /// @param parent where its disk is made
    static Result run(Path home, Path parent, CrashCase of, int cycles, long seed)
            throws IOException, InterruptedException {
        try (CrashCase.Disk disk = of.disk(parent)) {
            return new CrashRun(home, of, seed).run(disk, cycles);
        }
    }

    private Result run(CrashCase.Disk disk, int cycles) throws IOException, InterruptedException {
        Path data = disk.folder().resolve("data");
        List<String> failures = new ArrayList<>();
        BrokerProcess broker = start(data);
        try {
            try (CrashClient client = CrashClient.connect(port)) {
                client.createTopic(CrashLoad.PARTITIONS);
            }
            try (CrashLoad load = new CrashLoad(port, history, random.nextLong())) {
                load.up(verified);
                for (int cycle = 0; cycle < cycles; cycle++) {
                    load.awaitAcknowledged(random.nextLong(LEAST_RECORDS, MOST_RECORDS), PROGRESS_BOUND_NS);
                    Thread.sleep(random.nextInt(MOST_EXTRA_MS)); // at any moment of whatever the broker does
                    load.crashing();
                    disk.crash(of.crash(), broker);
                    long crashNs = System.nanoTime();
                    ends.crashed(data);
                    long startNs = System.nanoTime();
                    broker = start(data);
                    recoveryNs.add(System.nanoTime() - startNs);
                    ends.started(broker.screen());
                    readBack(false, crashNs);
                    load.up(verified);
                }
                load.requireNoComplaint();
            }
            readBack(true, System.nanoTime());
            if (!of.lying()) {
                CampaignFailure.require(broker.stop() == 0, "the broker's exit code was not 0:\n" + broker.screen());
                checkFolder(data, failures);
            }
        } catch (CampaignFailure e) {
            failures.add(e.getMessage());
        } finally {
            broker.kill();
            broker.close();
        }
        return result(cycles, failures);
    }

    private BrokerProcess start(Path data) throws IOException, InterruptedException {
        List<String> options = new ArrayList<>(List.of(
                "--set",
                "log.segment.bytes=" + segmentBytes,
                "--set",
                "num.partitions=1",
                "--set",
                "sluice.flush.policy=" + of.policy(),
                "--set",
                "sluice.log.engine=" + of.engine()));
        if (of.policy().equals("interval")) {
            options.addAll(List.of("--set", "log.flush.interval.ms=" + INTERVAL_MS));
        }
        return of.lying()
                ? BrokerProcess.startLying(data, port, options)
                : BrokerProcess.start(home, data, port, options, ENVIRONMENT);
    }

    /// Reads all partitions to their ends, while nobody writes.
    ///
    /// @param all from the beginning, and not from where the last reading ended
    private void readBack(boolean all, long crashNs) throws IOException {
        try (CrashClient client = CrashClient.connect(port)) {
            for (int partition = 0; partition < CrashLoad.PARTITIONS; partition++) {
                long from = all ? client.startOffset(partition) : verified[partition];
                verified[partition] = client.readBack(history, partition, from, crashNs);
            }
        }
    }

    private static void checkFolder(Path data, List<String> failures) throws IOException {
        CheckReport report = DirectoryCheck.check(new Kernel(), data, _ -> LogConfig.DEFAULT, InstantSource.system());
        for (CheckReport.Finding finding : report.findings()) {
            failures.add("sluice check: " + finding.file() + " at byte " + finding.position() + ": " + finding.what());
        }
    }

    private Result result(int cycles, List<String> failures) {
        Map<Anomaly.Kind, Long> counts = new java.util.EnumMap<>(Anomaly.Kind.class);
        for (Anomaly.Kind kind : Anomaly.Kind.values()) {
            counts.put(kind, history.count(kind));
        }
        for (Anomaly anomaly : of.lying() ? List.<Anomaly>of() : history.anomalies()) {
            if (anomaly.kind() != Anomaly.Kind.LOST || !of.mayLose()) {
                failures.add(anomaly.toString());
            }
        }
        if (of.lying() && counts.get(Anomaly.Kind.LOST) == 0) {
            failures.add("without fsync nothing was lost: the power cuts cut nothing");
        }
        Collections.sort(recoveryNs);
        return new Result(
                of,
                Math.min(cycles, recoveryNs.size()),
                seed,
                history.acknowledgedRecords(),
                counts,
                ends.zeros(),
                ends.cut(),
                history.oldestLostNs() / 1_000_000,
                recoveryNs,
                failures);
    }
}
