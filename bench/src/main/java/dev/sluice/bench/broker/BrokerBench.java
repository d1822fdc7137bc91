package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// `bin/bench broker`. See bench/README.md for what it measures and its options.
final class BrokerBench {
    private static final String USAGE = """
            bin/bench broker [OPTIONS]
              --work NAME      may be given again; all without it:
                               produce-64k produce-256k produce-1m produce-single produce-12 produce-1000
                               fetch-1m fetch-64k fetch-4k fetch-cold end-to-end laggard
              --subject NAME   may be given again: sluice sluice-direct kafka kafka-tuned rocketmq nginx limit limit-sendfile
                               (sluice, kafka and limit without it); one that can't do a work is left out of it
              --mib N          what a run moves (1024)
              --rounds N       measured rounds, each a run of every subject (5)
              --warmups N      rounds before them (2)
              --touch          first write once to nine tenths of the free memory: a virtual machine's host hands out a page at
                               its first touch, which costs more than all the rest
              --memory-mib N   bound each server and its part of the page cache to so much, by a control group; needs root
              --data DIR       where peers keep their data (target/bench/data)
              --json OUT       results as JSON too
            """;

    private final List<Work> works = new ArrayList<>();
    private final List<Subject> subjects = new ArrayList<>();
    private long mebibytes = 1024;
    private int rounds = 5;
    private int warmups = 2;
    /// 0 for no bound.
    private long memoryMib;
    private boolean touch;
    private boolean profile;
    private Path data = Path.of("target", "bench", "data");
    private String json = "";

    /// Exits with 1 when something failed, with 2 when the arguments are wrong.
    ///
    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) throws InterruptedException {
        BrokerBench bench = new BrokerBench();
        if (List.of(arguments).contains("--help")) {
            System.out.print(USAGE);
            return;
        }
        try {
            bench.parse(List.of(arguments).subList(2, arguments.length));
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.err.print(USAGE);
            System.exit(2);
        }
        try {
            bench.run(Path.of(arguments[0]), Path.of(arguments[1]));
        } catch (IOException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0);
    }

    private void parse(List<String> arguments) {
        for (int i = 0; i < arguments.size(); i++) {
            String option = arguments.get(i);
            if (option.equals("--touch")) {
                touch = true;
                continue;
            }
            if (option.equals("--profile")) {
                profile = true;
                continue;
            }
            if (i + 1 == arguments.size()) {
                throw new IllegalArgumentException(option + " is not an option, or has no value");
            }
            String value = arguments.get(++i);
            switch (option) {
                case "--work" -> works.add(Work.of(value));
                case "--subject" -> subjects.add(Subject.of(value));
                case "--mib" -> mebibytes = Long.parseLong(value);
                case "--rounds" -> rounds = Integer.parseInt(value);
                case "--warmups" -> warmups = Integer.parseInt(value);
                case "--memory-mib" -> memoryMib = Long.parseLong(value);
                case "--data" -> data = Path.of(value);
                case "--json" -> json = value;
                default -> throw new IllegalArgumentException(option + " is not an option");
            }
        }
        if (works.isEmpty()) {
            works.addAll(Work.ALL);
        }
        if (subjects.isEmpty()) {
            subjects.addAll(List.of(Subject.SLUICE, Subject.KAFKA, Subject.LIMIT));
        }
    }

    private static void print(BrokerProfile profile, Work work, Map<Subject, List<Run>> runs) {
        double cost = Ratios.median(runs.getOrDefault(Subject.SLUICE, List.of()).stream()
                .mapToDouble(run -> run.cost(work.unit()))
                .toArray());
        System.out.print("\n" + work.name() + ", sluice\n"
                + profile.table(cost, work.unit() == Work.Unit.GIB ? "s/GiB" : "µs a request"));
    }

    private void run(Path sources, Path target) throws IOException, InterruptedException {
        Path load = Tools.compile(sources, target, "load");
        Path limit = Tools.compile(sources, target, "limit");
        if (touch) {
            System.out.println("touched "
                    + Tools.run(List.of(Tools.compile(sources, target, "touch").toString()))
                            .output()
                            .strip());
        }
        Map<Subject, Peer> peers = new EnumMap<>(Subject.class);
        List<MemoryGroup> groups = new ArrayList<>();
        List<String> rows = new ArrayList<>();
        try {
            for (Subject subject : subjects) {
                if (!subject.isProgram()) {
                    Peer peer = subject.start(data, target);
                    peers.put(subject, peer);
                    if (memoryMib > 0) {
                        groups.add(MemoryGroup.around(peer.server(), memoryMib));
                    }
                }
            }
            Comparison comparison = new Comparison(load, limit, data, mebibytes, peers);
            for (Subject subject : peers.keySet()) {
                comparison.check(works.getFirst(), subject);
            }
            for (Work work : works) {
                Map<Subject, List<Run>> runs = comparison.measure(work, subjects, warmups, rounds);
                System.out.print(Report.table(work, runs));
                rows.addAll(Report.rows(work, runs));
                if (profile) {
                    print(comparison.profile(work, Subject.SLUICE), work, runs);
                }
            }
            for (Peer peer : peers.values()) {
                Server server = peer.server();
                System.out.printf(
                        "%n%s at the end: %d MiB resident, of it %d MiB anonymous%n",
                        server.label(), server.statusMib("VmRSS"), server.statusMib("RssAnon"));
            }
        } finally {
            for (Peer peer : peers.values()) {
                peer.close();
            }
            for (MemoryGroup group : groups) {
                group.close();
            }
        }
        if (!json.isEmpty()) {
            Map<String, String> document = new LinkedHashMap<>();
            document.put("mebibytes", Long.toString(mebibytes));
            document.put("memoryMib", Long.toString(memoryMib));
            document.put("touched", Boolean.toString(touch));
            document.put("rows", Json.array(rows));
            Files.writeString(Path.of(json), Json.object(document) + "\n");
        }
    }
}
