package dev.sluice.bench.shared;

import dev.sluice.bench.tools.Json;
import dev.sluice.bench.tools.Options;
import dev.sluice.bench.tools.Tools;
import dev.sluice.io.linux.Descriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// `bin/bench shared`. See bench/README.md for what it measures and its options.
final class SharedBench {
    private static final long PROFILE_NS = 3_000_000_000L;
    private static final int LARGE_BYTES = 256 << 10;

    private final List<Way> ways = new ArrayList<>();
    private final List<Integer> sizes = new ArrayList<>();
    private int mebibytes = 2048;
    private int mostMessages = 2_000_000;
    private int roundTrips = 20_000;
    private int rounds = 5;
    private @Nullable Path json;
    private boolean isProfile;

    /// @param arguments the folder of the C sources, the folder for programs, then the user's
    static void main(String[] arguments) {
        SharedBench bench = new SharedBench();
        bench.options().run(arguments, (_, _) -> bench.run());
    }

    Options options() {
        return new Options("shared", "Messages between two JVMs: a shared pool beside a UNIX socket and TCP.")
                .text(
                        "--way",
                        "NAME",
                        "pool, spinning_pool, unix or tcp; may be given again (all)",
                        value -> ways.add(way(value)))
                .text(
                        "--size",
                        "N",
                        "bytes a message, a multiple of 64; may be given again (64, 4096 and 1048576)",
                        value -> sizes.add(size(value)))
                .number(
                        "--mib",
                        1,
                        "bytes that a stream carries, as far as --messages allows (2048)",
                        value -> mebibytes = value)
                .number("--messages", 1, "most messages of a stream (2000000)", value -> mostMessages = value)
                .number(
                        "--round-trips",
                        1,
                        "round trips a round; at 1 MiB a tenth (20000)",
                        value -> roundTrips = value)
                .number("--rounds", 1, "measured rounds, each a run of every way (5)", value -> rounds = value)
                .flag(
                        "--perf",
                        "share of both processes' samples in kernel copy functions, instead (package linux-perf)",
                        () -> isProfile = true)
                .path("--json", "OUT", "results as JSON too", value -> json = value);
    }

    private static int size(String value) {
        int size = Options.number("--size", 1, value);
        if (size % 64 != 0) {
            throw new IllegalArgumentException("--size wants multiples of 64");
        }
        return size;
    }

    private static Way way(String name) {
        for (Way way : Way.values()) {
            if (way.name().equalsIgnoreCase(name)) {
                return way;
            }
        }
        throw new IllegalArgumentException("--way wants pool, spinning_pool, unix or tcp, not " + name);
    }

    private void run() throws IOException, InterruptedException {
        if (ways.isEmpty()) {
            ways.addAll(List.of(Way.values()));
        }
        if (sizes.isEmpty()) {
            sizes.addAll(List.of(64, 4096, 1 << 20));
        }
        if (isProfile && !Tools.isInstalled("perf")) {
            throw new IOException("perf is not installed (Debian: apt install linux-perf)");
        }
        String circumstances = String.format(
                "%d processors, Linux %s, JDK %s; load average %s",
                Runtime.getRuntime().availableProcessors(),
                System.getProperty("os.version"),
                System.getProperty("java.version"),
                Files.readString(Path.of("/proc/loadavg")).split(" ")[0]);
        if (isProfile) {
            System.out.println(
                    circumstances + "\n\n| bytes | way | samples | in kernel copy functions |\n|---|---|---|---|");
            for (int size : sizes) {
                profile(size);
            }
            return;
        }
        System.out.println(circumstances + "\n\n" + Result.header());
        List<Map<String, Object>> rows = new ArrayList<>();
        for (int size : sizes) {
            for (Result result : measure(size)) {
                System.out.println(result.row());
                rows.add(result.fields());
            }
        }
        if (json != null) {
            Map<String, Object> all = new LinkedHashMap<>();
            all.put("circumstances", circumstances);
            all.put("results", rows);
            Json.write(json, all);
        }
    }

    /// Every way at one size, in turns that begin with another one each round; a round that doesn't count comes
    /// first.
    List<Result> measure(int messageBytes) throws IOException {
        List<Result> results = new ArrayList<>();
        for (Way way : ways) {
            results.add(new Result(way, messageBytes));
        }
        Path folder = Files.createTempDirectory("sluice-bench");
        Path path = folder.resolve("socket");
        // Two JVMs a way, as far as the second goes: what one way makes the compiler believe doesn't hamper another.
        Map<Way, Peer> peers = new LinkedHashMap<>();
        try {
            for (Way way : ways) {
                peers.put(way, new Peer(path));
            }
            for (int round = -1; round < rounds; round++) {
                for (int i = 0; i < results.size(); i++) {
                    Result result = results.get((round + 1 + i) % results.size());
                    Peer peer = Objects.requireNonNull(peers.get(result.way));
                    run(result, peer, path, round >= 0);
                }
            }
        } finally {
            for (Peer peer : peers.values()) {
                peer.close();
            }
            Files.deleteIfExists(path);
            Files.delete(folder);
        }
        return results;
    }

    private void run(Result result, Peer peer, Path path, boolean counts) throws IOException {
        Endpoint endpoint = new Endpoint();
        Files.deleteIfExists(path);
        try (Descriptor listener = endpoint.listen(result.way, path)) {
            peer.tell(result.way + " " + endpoint.port(result.way, listener) + " " + result.messageBytes);
            try (Link link = endpoint.accept(result.way, listener, result.messageBytes)) {
                peer.answer();
                Result.Stream stream = stream(link, endpoint, peer, result.messageBytes);
                if (counts) {
                    result.add(stream);
                }
                roundTrips(link, peer, result, counts);
            }
        }
    }

    private Result.Stream stream(Link link, Endpoint endpoint, Peer peer, int messageBytes) throws IOException {
        int messages = Math.clamp(((long) mebibytes << 20) / messageBytes, 1, mostMessages);
        peer.tell("used");
        Endpoint.Used peersBefore = peer.answer();
        Endpoint.Used before = endpoint.used();
        long startNs = System.nanoTime();
        peer.tell("receive " + messages);
        for (int i = 0; i < messages; i++) {
            link.send((byte) i);
        }
        link.receive();
        long elapsedNs = System.nanoTime() - startNs;
        Endpoint.Used own = endpoint.used().minus(before);
        Endpoint.Used peers = peer.answer().minus(peersBefore);
        return new Result.Stream(
                messages,
                elapsedNs,
                new Endpoint.Used(
                        own.cpuNs() + peers.cpuNs(),
                        own.calls() + peers.calls(),
                        own.carriedBytes() + peers.carriedBytes()));
    }

    private void profile(int messageBytes) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("sluice-bench");
        Path path = folder.resolve("socket");
        for (Way way : ways) {
            Endpoint endpoint = new Endpoint();
            try (Peer peer = new Peer(path);
                    Descriptor listener = endpoint.listen(way, path)) {
                peer.tell(way + " " + endpoint.port(way, listener) + " " + messageBytes);
                try (Link link = endpoint.accept(way, listener, messageBytes)) {
                    peer.answer();
                    stream(link, endpoint, peer, messageBytes); // so that both are compiled
                    try (Profile profile = Profile.begin(ProcessHandle.current().pid(), peer.pid())) {
                        // perf takes a part of a second to begin.
                        long startNs = System.nanoTime();
                        for (int round = 0; round < rounds || System.nanoTime() - startNs < PROFILE_NS; round++) {
                            stream(link, endpoint, peer, messageBytes);
                        }
                        System.out.println(profile.end(way, messageBytes));
                    }
                }
            } finally {
                Files.deleteIfExists(path);
            }
        }
        Files.delete(folder);
    }

    private void roundTrips(Link link, Peer peer, Result result, boolean counts) throws IOException {
        int count = Math.max(1, result.messageBytes >= LARGE_BYTES ? roundTrips / 10 : roundTrips);
        peer.tell("echo " + count);
        for (int i = 0; i < count; i++) {
            long startNs = System.nanoTime();
            link.send((byte) i);
            link.receive();
            if (counts) {
                result.roundTripsNs.recordValue(System.nanoTime() - startNs);
            }
        }
        peer.answer();
    }
}
