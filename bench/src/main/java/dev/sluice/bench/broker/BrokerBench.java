package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.MarkedPage;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Ratios;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// `bin/bench broker`. See bench/README.md for what it measures and its options.
final class BrokerBench {
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
    private @Nullable Path json;
    private @Nullable Path html;
    private @Nullable Path page;

    /// @param arguments the folder of the C sources, the folder for programs, the user's
    static void main(String[] arguments) {
        BrokerBench bench = new BrokerBench();
        bench.options().run(arguments, bench::run);
    }

    private Options options() {
        return new Options("broker", "The broker beside its peers and beside what the kernel can do at best.")
                .text(
                        "--work",
                        "NAME",
                        "may be given again; all without it: "
                                + String.join(
                                        " ", Work.ALL.stream().map(Work::name).toList()),
                        value -> works.add(Work.of(value)))
                .text(
                        "--subject",
                        "NAME",
                        "may be given again: " + Subject.names() + " (sluice, kafka and limit without it); one that"
                                + " can't do a work is left out of it",
                        value -> subjects.add(Subject.of(value)))
                .number("--mib", 1, "what a run moves (1024)", value -> mebibytes = value)
                .number("--rounds", 1, "measured rounds, each a run of every subject (5)", value -> rounds = value)
                .number("--warmups", 0, "rounds before them (2)", value -> warmups = value)
                .flag(
                        "--touch",
                        "first write once to nine tenths of the free memory: a virtual machine's host hands out a page at"
                                + " its first touch, which costs more than all the rest",
                        () -> touch = true)
                .flag(
                        "--profile",
                        "two runs more of Sluice's, to tell where its time goes (package linux-perf) and what it allocates",
                        () -> profile = true)
                .number(
                        "--memory-mib",
                        1,
                        "bound each server and its part of the page cache to so much, by a control group; needs root",
                        value -> memoryMib = value)
                .path("--data", "DIR", "where peers keep their data (target/bench/data)", value -> data = value)
                .path(
                        "--page",
                        "FILE",
                        "with --profile: write its tables between the marks of this page",
                        value -> page = value)
                .path("--html", "OUT", "a page with pictures too", value -> html = value)
                .path("--json", "OUT", "results as JSON too", value -> json = value);
    }

    /// Where a work's time goes, and what it allocates; to the page as well, where there is one.
    private void profile(Comparison comparison, Work work, Map<Subject, List<Run>> runs)
            throws IOException, InterruptedException {
        boolean perGib = work.unit() == Work.Unit.GIB;
        double[] costs = GrowthPoint.all(runs.getOrDefault(Subject.SLUICE, List.of()), run -> run.cost(work.unit()));
        BrokerProfile profile = comparison.profile(work, Subject.SLUICE);
        String text = profile.table(Ratios.median(costs), perGib ? "s/GiB" : "µs a request")
                + String.format(
                        Locale.ROOT,
                        "%nAllocated: %.1f bytes a request.%n",
                        comparison.allocatedBytesARequest(work, Subject.SLUICE));
        System.out.print("\n" + work.name() + ", sluice\n" + text);
        if (page != null) {
            MarkedPage.write(
                    page,
                    "profile " + work.name(),
                    text + "\n" + MarkedPage.circumstances()
                            + String.format(
                                    Locale.ROOT,
                                    "; the whole: median of %d rounds, %.3f–%.3f.",
                                    costs.length,
                                    Arrays.stream(costs).min().orElse(0),
                                    Arrays.stream(costs).max().orElse(0)));
        }
    }

    private void run(Path sources, Path target) throws IOException, InterruptedException {
        if (works.isEmpty()) {
            works.addAll(Work.ALL);
        }
        if (subjects.isEmpty()) {
            subjects.addAll(List.of(Subject.SLUICE, Subject.KAFKA, Subject.LIMIT));
        }
        Path load = Tools.compile(sources, target, "load");
        Path limit = Tools.compile(sources, target, "limit");
        if (touch) {
            Tools.touchMemory(sources, target);
        }
        Map<Subject, Peer> peers = new EnumMap<>(Subject.class);
        List<MemoryGroup> groups = new ArrayList<>();
        List<Map<String, Object>> rows = new ArrayList<>();
        BrokerPage pictures = new BrokerPage(rounds + " rounds, each a run of every subject, of " + mebibytes
                + " MiB where the work doesn't say how many requests it makes"
                + (memoryMib > 0 ? "; each server within " + memoryMib + " MiB of memory." : "."));
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
                pictures.add(work, runs);
                if (profile) {
                    profile(comparison, work, runs);
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
        if (html != null) {
            pictures.write(html);
        }
        if (json != null) {
            Map<String, Object> document = new LinkedHashMap<>();
            document.put("mebibytes", mebibytes);
            document.put("memoryMib", memoryMib);
            document.put("touched", touch);
            document.put("rows", rows);
            Json.write(json, document);
        }
    }
}
