package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The curve `log-size`: one log that grows from point to point, on a server of its own that is stopped and started at
/// each: how long it takes until it listens, what a look-up anywhere costs with the one batch it answers, and what
/// reading on from the beginning costs.
final class LogGrowth {
    static final int BATCH_BYTES = 16 << 10;
    private static final String TOPIC = "log-growth";
    private static final int WARMUPS = 2;

    private final Path load;
    private final Peer peer;
    private final Subject subject;
    private final int rounds;
    private long filledMib;

    LogGrowth(Path load, Peer peer, Subject subject, int rounds) {
        this.load = load;
        this.peer = peer;
        this.subject = subject;
        this.rounds = rounds;
    }

    /// How many batches a log of so much has at least.
    static long batches(long mebibytes) {
        return (mebibytes << 20) / BATCH_BYTES;
    }

    /// Whether the disk has room for this point, and for as much again.
    boolean fits(long mebibytes) throws IOException {
        long freeMib = Files.getFileStore(peer.server().folder()).getUsableSpace() >> 20;
        return freeMib > 2 * (mebibytes - filledMib);
    }

    GrowthPoint measure(long mebibytes) throws IOException, InterruptedException {
        if (filledMib == 0) {
            peer.create(TOPIC, 1);
        }
        // So many batches, not so many bytes: look-ups go to each with the same likelihood.
        run("produce", "batch=" + BATCH_BYTES, "requests=" + (batches(mebibytes) - batches(filledMib)));
        filledMib = mebibytes;
        Tools.run(List.of("sync"));
        Server server = peer.server();
        server.stop();
        double startSeconds = start(server);
        server.kill();
        double startAfterKillSeconds = start(server);
        List<Run> lookUps = new ArrayList<>();
        List<Run> readings = new ArrayList<>();
        for (int round = -WARMUPS; round < rounds; round++) {
            Run lookUp = run("fetch", Curve.LOG_SIZE.work(mebibytes).options().toArray(String[]::new));
            Run reading = run("fetch", "batch=" + BATCH_BYTES, "max=1048576", "mib=" + Math.min(mebibytes, 512));
            if (round >= 0) {
                lookUps.add(lookUp);
                readings.add(reading);
            }
        }
        Map<String, double[]> figures = new LinkedHashMap<>();
        figures.put("microsecondsARequest", GrowthPoint.all(lookUps, run -> run.cost(Work.Unit.REQUEST)));
        figures.put("fetchSecondsAGib", GrowthPoint.all(readings, run -> run.cost(Work.Unit.GIB)));
        figures.put("startSeconds", new double[] {startSeconds});
        figures.put("startAfterKillSeconds", new double[] {startAfterKillSeconds});
        figures.put("residentMib", new double[] {server.statusMib("VmRSS")});
        figures.put("anonymousMib", new double[] {server.statusMib("RssAnon")});
        return new GrowthPoint(mebibytes, figures);
    }

    private static double start(Server server) throws IOException, InterruptedException {
        long begunNs = System.nanoTime();
        server.startAgain();
        return (System.nanoTime() - begunNs) / 1e9;
    }

    private Run run(String kind, String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                load.toString(), kind, Integer.toString(peer.server().port()), TOPIC, "protocol=" + subject.protocol));
        command.addAll(List.of(options));
        long serverBefore = peer.server().cpuNs();
        long faultsBefore = peer.server().minorFaults();
        Figures line = Comparison.ended(command);
        long serverNs = peer.server().cpuNs() - serverBefore;
        return new Run(serverNs, 0, 0, peer.server().minorFaults() - faultsBefore, line);
    }
}
