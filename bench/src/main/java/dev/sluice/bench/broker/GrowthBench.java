package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.MarkedPage;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// `bin/bench growth`. See bench/README.md for what it measures and its options.
final class GrowthBench {
    private static final long FILL_MIB = 32;

    /// Runs before a server's first point, until what it does is compiled; one before each other.
    private static final int FIRST_WARMUPS = 4;

    /// Rounds before each point of a log: its server has just been started.
    private static final int LOG_WARMUPS = 2;

    private final List<Curve> curves = new ArrayList<>();
    private final List<Subject> subjects = new ArrayList<>();
    private int rounds = 3;
    private long most = Long.MAX_VALUE;
    private boolean touch;
    private @Nullable Path page;
    private Path data = Path.of("target", "bench", "data");
    private Path out = Path.of("target", "bench", "growth");

    private final Map<Subject, Peer> peers = new EnumMap<>(Subject.class);
    private Path load = Path.of("");

    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) {
        GrowthBench bench = new GrowthBench();
        bench.options().run(arguments, bench::run);
    }

    private Options options() {
        return new Options("growth", "What a request and a GiB cost the broker as one thing grows.")
                .text(
                        "--curve",
                        "NAME",
                        "may be given again; all without it: " + Curve.names(),
                        value -> curves.add(Curve.of(value)))
                .text(
                        "--subject",
                        "NAME",
                        "may be given again: sluice kafka kafka-tuned (sluice without it)",
                        value -> subjects.add(Subject.of(value)))
                .number("--rounds", 1, "runs at each point (3)", value -> rounds = value)
                .number("--most", 0, "the largest point that is measured (all)", value -> most = value)
                .flag("--touch", "first write once to nine tenths of the free memory", () -> touch = true)
                .path("--data", "DIR", "where servers keep their data (target/bench/data)", value -> data = value)
                .path(
                        "--page",
                        "FILE",
                        "write the tables between the marks of this page, and the pictures to plots beside it",
                        value -> page = value)
                .path(
                        "--out",
                        "DIR",
                        "where results go: for each curve NAME.json, and with gnuplot a picture"
                                + " (target/bench/growth)",
                        value -> out = value);
    }

    private void run(Path sources, Path target) throws Exception {
        if (curves.isEmpty()) {
            curves.addAll(List.of(Curve.values()));
        }
        if (subjects.isEmpty()) {
            subjects.add(Subject.SLUICE);
        }
        load = Tools.compile(sources, target, "load");
        if (touch) {
            Tools.run(List.of(Tools.compile(sources, target, "touch").toString()));
        }
        Files.createDirectories(out);
        for (Curve curve : curves) {
            GrowthReport report =
                    new GrowthReport(curve, curve == Curve.LOG_SIZE ? measureLog(target) : measure(curve, target));
            if (!report.measured().isEmpty()) { // else all of its points lie above the most that was asked for
                tell(report);
            }
        }
        System.out.println("\nResults are in " + out);
    }

    private void tell(GrowthReport report) throws IOException, InterruptedException {
        String name = report.curve().label();
        System.out.print("\n" + name + "\n" + report.table());
        Json.write(out.resolve(name + ".json"), report.rows());
        boolean drawn = report.draw(out);
        if (!drawn) {
            System.out.println("No picture: gnuplot is not installed (Debian: apt install gnuplot-nox)");
        }
        if (page != null) {
            String picture = "plots/" + name + ".svg";
            if (drawn) {
                Path copy = page.resolveSibling(picture);
                Files.createDirectories(copy.getParent());
                Files.copy(out.resolve(name + ".svg"), copy, StandardCopyOption.REPLACE_EXISTING);
            }
            MarkedPage.write(
                    page,
                    "growth " + name,
                    "![" + name + "](" + picture + ")\n\n" + report.table() + "\n" + MarkedPage.circumstances() + ", "
                            + rounds + " runs a point: median (least–most).");
        }
    }

    private Map<Subject, List<GrowthPoint>> measureLog(Path target) throws IOException, InterruptedException {
        Map<Subject, List<GrowthPoint>> points = new EnumMap<>(Subject.class);
        for (Subject subject : subjects) {
            try (Peer peer = subject.start(data, target)) {
                LogGrowth log = new LogGrowth(load, peer, subject, LOG_WARMUPS, rounds);
                for (long x : Curve.LOG_SIZE.points) {
                    if (x > most) {
                        continue;
                    }
                    if (!log.fits(x)) {
                        System.out.println("No room for a log of " + x + " MiB in " + data);
                        break;
                    }
                    points.computeIfAbsent(subject, _ -> new ArrayList<>()).add(log.measure(x));
                }
            }
        }
        return points;
    }

    /// Starts the servers, so that no curve depends on what another left behind.
    private Map<Subject, List<GrowthPoint>> measure(Curve curve, Path target) throws Exception {
        try {
            for (Subject subject : subjects) {
                peers.put(subject, subject.start(data, target));
            }
            return measure(curve);
        } finally {
            for (Peer peer : peers.values()) {
                peer.close();
            }
            peers.clear();
        }
    }

    private Map<Subject, List<GrowthPoint>> measure(Curve curve) throws Exception {
        // The limit is no subject here, so its program and its file are not looked for.
        Comparison comparison = new Comparison(load, load, data, FILL_MIB, peers);
        Map<Subject, List<GrowthPoint>> points = new EnumMap<>(Subject.class);
        for (long x : curve.points) {
            for (Subject subject : subjects) {
                if (x > Math.min(most, curve.most(subject))) {
                    continue;
                }
                Server server = peer(subject).server();
                long[] memory = new long[2];
                int warmups = points.containsKey(subject) ? 1 : FIRST_WARMUPS;
                List<Run> runs;
                try (AutoCloseable _ = idle(curve.idleConnections(x), server)) {
                    runs = comparison.several(curve.work(x), subject, warmups + rounds);
                    memory[0] = server.statusMib("VmRSS");
                    memory[1] = server.statusMib("RssAnon");
                }
                points.computeIfAbsent(subject, _ -> new ArrayList<>())
                        .add(GrowthPoint.of(x, runs.subList(warmups, runs.size()), memory));
            }
        }
        return points;
    }

    private Peer peer(Subject subject) {
        return Objects.requireNonNull(peers.get(subject));
    }

    /// Opens connections that say nothing, until it is closed.
    private AutoCloseable idle(long connections, Server server) throws IOException {
        if (connections == 0) {
            return () -> {};
        }
        Process idle = new ProcessBuilder(
                        load.toString(), "idle", Integer.toString(server.port()), "-", "connections=" + connections)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = idle.inputReader().readLine();
        if (!"open".equals(line)) {
            throw new IOException("idle connections could not be opened: " + line);
        }
        return () -> {
            idle.outputWriter().close();
            idle.waitFor();
        };
    }
}
