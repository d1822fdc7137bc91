package dev.sluice.bench.direct;

import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.async.QueueConfig.Engine;
import dev.sluice.io.async.QueueConfig.Registration;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/// Our queues beside fio's io_uring on the same file, in turns.
///
/// `bin/bench direct`. /// FILE exists, is written over, and is best several GiB of blocks that were written before.
/// Each round runs fio and each of our ways once, beginning with another one each time; a way's figure is held against
/// fio's of the same round, and the median of these ratios stands with the least and the greatest. Our process is
/// warmed up by one round that does not count; its CPU includes its compiler's and collector's. fio runs without its
/// latency clocks.
final class DirectBench {
    private static final String FIO = "fio";

    private Path file = Path.of("");
    private int rounds;
    private final List<String> workloads = new ArrayList<>();

    private DirectBench() {}

    static void main(String[] arguments) {
        DirectBench bench = new DirectBench();
        new Options("direct", "Direct reads and writes beside fio's io_uring on the same file, in turns.")
                .parameter(
                        "FILE",
                        "is written over; best several GiB that were written before",
                        value -> bench.file = Path.of(value))
                .parameter("ROUNDS", "measured rounds", value -> bench.rounds = Options.number("ROUNDS", 1, value))
                .parameters("WORKLOAD", String.join(" ", Workload.NAMES), bench.workloads::add)
                .run(arguments, (_, _) -> bench.run());
    }

    private void run() throws IOException, InterruptedException {
        for (String name : workloads) {
            measure(Workload.parse(name, Files.size(file)), file, rounds);
        }
    }

    private static void measure(Workload workload, Path file, int rounds) throws IOException, InterruptedException {
        QueueConfig ring = QueueConfig.ofDepth(workload.depth()).on(Engine.RING);
        Map<String, QueueConfig> ways = new LinkedHashMap<>();
        ways.put("ring", ring.with(Registration.REQUIRED));
        ways.put("ring, not registered", ring.with(Registration.NONE));
        ways.put("threads", ring.on(Engine.THREADS).withThreads(Math.min(16, workload.depth())));
        List<String> order = new ArrayList<>(ways.keySet());
        order.add(FIO);
        Map<String, List<Run>> runs = new LinkedHashMap<>();
        order.forEach(way -> runs.put(way, new ArrayList<>()));
        for (int round = -1; round < rounds; round++) {
            for (int i = 0; i < order.size(); i++) {
                String way = order.get((round + 1 + i) % order.size());
                QueueConfig config = ways.get(way);
                Run run = config == null
                        ? FioRunner.run(workload, file, Files.size(file))
                        : QueueRunner.run(workload, file, config);
                if (round >= 0) {
                    Objects.requireNonNull(runs.get(way)).add(run);
                }
            }
        }
        print(workload, runs);
    }

    private static void print(Workload workload, Map<String, List<Run>> runs) {
        System.out.printf(
                "%n%s, depth %d, %d rounds of %d MiB%n",
                workload.name(),
                workload.depth(),
                Objects.requireNonNull(runs.get(FIO)).size(),
                workload.totalBytes() >> 20);
        System.out.printf(
                "%-22s %9s %9s %12s %12s   %s%n",
                "",
                "MiB/s",
                "kIO/s",
                "s/GiB own",
                "s/GiB all",
                "ratios to fio: rate, own CPU, machine's CPU (median, min–max)");
        for (Map.Entry<String, List<Run>> way : runs.entrySet()) {
            List<Run> own = way.getValue();
            List<Run> fio = runs.get(FIO);
            System.out.printf(
                    "%-22s %9.0f %9.1f %12.3f %12.3f   %s  %s  %s%n",
                    way.getKey(),
                    median(own, Run::mibPerSecond),
                    median(own, Run::operationsPerSecond) / 1000,
                    median(own, Run::processSecondsPerGib),
                    median(own, Run::machineSecondsPerGib),
                    ratios(own, fio, Run::mibPerSecond),
                    ratios(own, fio, Run::processSecondsPerGib),
                    ratios(own, fio, Run::machineSecondsPerGib));
        }
    }

    private static double median(List<Run> runs, ToDoubleFunction<Run> figure) {
        return Ratios.median(runs.stream().mapToDouble(figure).toArray());
    }

    private static String ratios(List<Run> own, List<Run> fio, ToDoubleFunction<Run> figure) {
        double[] ratios = new double[own.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = figure.applyAsDouble(own.get(i)) / figure.applyAsDouble(fio.get(i));
        }
        Arrays.sort(ratios);
        return String.format("%.2f (%.2f–%.2f)", Ratios.median(ratios), ratios[0], ratios[ratios.length - 1]);
    }
}
