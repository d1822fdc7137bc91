package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/// `bin/bench growth`. See bench/README.md for what it measures and its options.
final class GrowthBench {
    private static final long FILL_MIB = 32;

    private final List<Curve> curves = new ArrayList<>();
    private final List<Subject> subjects = new ArrayList<>();
    private int rounds = 3;
    private long most = Long.MAX_VALUE;
    private boolean touch;
    private Path data = Path.of("target", "bench", "data");
    private Path out = Path.of("target", "bench", "growth");

    private final Map<Subject, Peer> peers = new EnumMap<>(Subject.class);
    private Path load = Path.of("");

    /// A point of a curve, measured.
    private record Point(long x, List<Run> runs, long residentMib, long anonymousMib) {
        double microsecondsARequest() {
            return median(run -> run.cost(Work.Unit.REQUEST));
        }

        double secondsAGib() {
            return median(run -> run.cost(Work.Unit.GIB));
        }

        double median(ToDoubleFunction<Run> figure) {
            return Ratios.median(runs.stream().mapToDouble(figure).toArray());
        }
    }

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
                        "--out",
                        "DIR",
                        "where results go: a table for each curve, growth.json, and with gnuplot a picture of each"
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
        List<Map<String, Object>> rows = new ArrayList<>();
        try {
            for (Subject subject : subjects) {
                peers.put(subject, subject.start(data, target));
            }
            // The limit is no subject here, so its program and its file are not looked for.
            Comparison comparison = new Comparison(load, load, data, FILL_MIB, peers);
            for (Curve curve : curves) {
                Map<Subject, List<Point>> measured = measure(comparison, curve);
                if (measured.isEmpty()) {
                    continue; // all of its points lie above the most that was asked for
                }
                System.out.print(table(curve, measured));
                GrowthPlot.draw(out, curve, dataFile(curve, measured), List.copyOf(measured.keySet()));
                rows.addAll(rows(curve, measured));
            }
        } finally {
            for (Peer peer : peers.values()) {
                peer.close();
            }
        }
        Json.write(out.resolve("growth.json"), rows);
        System.out.println("\nResults are in " + out);
    }

    private Map<Subject, List<Point>> measure(Comparison comparison, Curve curve) throws Exception {
        Map<Subject, List<Point>> points = new EnumMap<>(Subject.class);
        for (long x : curve.points) {
            if (x > most) {
                continue;
            }
            for (Subject subject : subjects) {
                Server server = peer(subject).server();
                List<Run> runs = new ArrayList<>();
                long[] memory = new long[2];
                for (int round = 0; round <= rounds; round++) {
                    Run run =
                            comparison.load(curve.work(x), subject, topic -> before(curve, x, subject, topic, memory));
                    if (round > 0) { // the first warms up
                        runs.add(run);
                    }
                }
                if (curve.idleConnections(x) == 0) {
                    memory[0] = server.statusMib("VmRSS");
                    memory[1] = server.statusMib("RssAnon");
                }
                points.computeIfAbsent(subject, _ -> new ArrayList<>())
                        .add(new Point(x, List.copyOf(runs), memory[0], memory[1]));
            }
        }
        return points;
    }

    private Peer peer(Subject subject) {
        return Objects.requireNonNull(peers.get(subject));
    }

    /// Fills the topic further and opens idle connections, as the point wants it.
    private AutoCloseable before(Curve curve, long x, Subject subject, String topic, long[] memory) throws Exception {
        String port = Integer.toString(peer(subject).server().port());
        if (curve.filledMib(x) > 0) {
            Tools.Ended filled = Tools.run(
                    List.of(load.toString(), "produce", port, topic, "batch=1000000", "mib=" + curve.filledMib(x)));
            if (filled.exitCode() != 0) {
                throw new IOException(filled.output());
            }
            Tools.run(List.of("sync"));
        }
        if (curve.idleConnections(x) == 0) {
            return () -> {};
        }
        Process idle = new ProcessBuilder(load.toString(), "idle", port, "-", "connections=" + curve.idleConnections(x))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = idle.inputReader().readLine();
        if (!"open".equals(line)) {
            throw new IOException("idle connections could not be opened: " + line);
        }
        memory[0] = peer(subject).server().statusMib("VmRSS");
        memory[1] = peer(subject).server().statusMib("RssAnon");
        return () -> {
            idle.outputWriter().close();
            idle.waitFor();
        };
    }

    private static String table(Curve curve, Map<Subject, List<Point>> measured) {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%n%s%n| %s | | CPU, µs a request: least / median / most | CPU s/GiB | requests/s | p99 ms | resident MiB | anonymous |%n|---|---|---|---|---|---|---|---|%n",
                curve.label(),
                curve.axis));
        measured.forEach((subject, points) -> points.forEach(point -> text.append(String.format(
                Locale.ROOT,
                "| %,d | %s | %.1f / **%.1f** / %.1f | %.2f | %,.0f | %.2f | %d | %d |%n",
                point.x(),
                subject.label,
                point.runs().stream()
                        .mapToDouble(run -> run.cost(Work.Unit.REQUEST))
                        .min()
                        .orElse(0),
                point.microsecondsARequest(),
                point.runs().stream()
                        .mapToDouble(run -> run.cost(Work.Unit.REQUEST))
                        .max()
                        .orElse(0),
                point.secondsAGib(),
                point.median(run -> run.rate(Work.Unit.REQUEST)),
                point.median(run -> run.field("p99Ms")),
                point.residentMib(),
                point.anonymousMib()))));
        return text.toString();
    }

    /// Columns for gnuplot: x, then microseconds a request and seconds a GiB of each subject.
    private Path dataFile(Curve curve, Map<Subject, List<Point>> measured) throws IOException {
        StringBuilder text = new StringBuilder("# " + curve.axis);
        measured.keySet()
                .forEach(subject -> text.append("  ").append(subject.label).append(": µs/request s/GiB MiB"));
        text.append('\n');
        List<List<Point>> all = List.copyOf(measured.values());
        for (int i = 0; i < all.getFirst().size(); i++) {
            text.append(all.getFirst().get(i).x());
            for (List<Point> points : all) {
                Point point = points.get(i);
                text.append(String.format(
                        Locale.ROOT,
                        " %.4f %.4f %d",
                        point.microsecondsARequest(),
                        point.secondsAGib(),
                        point.residentMib()));
            }
            text.append('\n');
        }
        Path file = out.resolve(curve.label() + ".dat");
        Files.writeString(file, text);
        return file;
    }

    private static List<Map<String, Object>> rows(Curve curve, Map<Subject, List<Point>> measured) {
        List<Map<String, Object>> rows = new ArrayList<>();
        measured.forEach((subject, points) -> points.forEach(point -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("curve", curve.label());
            row.put("subject", subject.label);
            row.put("x", point.x());
            row.put("microsecondsARequest", numbers(point, run -> run.cost(Work.Unit.REQUEST)));
            row.put("secondsAGib", numbers(point, run -> run.cost(Work.Unit.GIB)));
            row.put("requestsASecond", numbers(point, run -> run.rate(Work.Unit.REQUEST)));
            row.put("p99Ms", numbers(point, run -> run.field("p99Ms")));
            row.put("residentMib", point.residentMib());
            row.put("anonymousMib", point.anonymousMib());
            rows.add(row);
        }));
        return rows;
    }

    private static double[] numbers(Point point, ToDoubleFunction<Run> figure) {
        return point.runs().stream().mapToDouble(figure).toArray();
    }
}
