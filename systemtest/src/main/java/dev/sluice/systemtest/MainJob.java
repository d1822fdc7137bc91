package dev.sluice.systemtest;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The main job, end to end: real data through the broker and back, byte for byte, with real clients; what it costs in
/// copies and system calls; what is left after kill -9. One line a step; the first that fails ends the campaign.
final class MainJob {
    private static final Duration BOUND = Duration.ofMinutes(9);
    private static final double MIB = 1 << 20;

    private final Path home;
    private final Path work;
    private final long bytes;
    private final int kills;

    private MainJob(Path home, Path work, long bytes, int kills) {
        this.home = home;
        this.work = work;
        this.bytes = bytes;
        this.kills = kills;
    }

    private enum Step {
        ROUND_TRIPS,
        PERFORMANCE,
        ACCOUNT,
        HEAP,
        KILLED,
        START
    }

    /// Arguments: the repository's root, MiB of data a step, kills, and the steps if not all: round_trips,
    /// performance, account, heap, killed, start.
    static void main(String[] args) throws Exception {
        if (args.length < 3) {
            System.err.println("usage: MainJob HOME MIB KILLS [STEP]...");
            System.exit(2);
        }
        Set<Step> steps = EnumSet.noneOf(Step.class);
        for (String name : List.of(args).subList(3, args.length)) {
            steps.add(step(name));
        }
        run(
                Path.of(args[0]),
                Long.parseLong(args[1]) << 20,
                Integer.parseInt(args[2]),
                steps.isEmpty() ? EnumSet.allOf(Step.class) : steps);
    }

    private static Step step(String name) {
        return Arrays.stream(Step.values())
                .filter(each -> name(each).equals(name))
                .findFirst()
                .orElseThrow(() -> CampaignFailure.usage("there is no step '" + name + "'; there are "
                        + Arrays.stream(Step.values()).map(MainJob::name).collect(Collectors.joining(" "))));
    }

    private static String name(Step step) {
        return step.name().toLowerCase(Locale.ROOT);
    }

    /// All steps.
    static void run(Path home, long bytes, int kills) throws Exception {
        run(home, bytes, kills, EnumSet.allOf(Step.class));
    }

    private static void run(Path home, long bytes, int kills, Set<Step> steps) throws Exception {
        Path work = Files.createTempDirectory(Path.of("/var/tmp"), "sluice-main-job");
        try {
            MainJob job = new MainJob(home, work, bytes, kills);
            for (Step step : steps) {
                switch (step) {
                    case ROUND_TRIPS -> job.roundTrips();
                    case PERFORMANCE -> job.performanceToolAndDumpLog();
                    case ACCOUNT -> job.account();
                    case HEAP -> job.heap();
                    case KILLED -> job.killed();
                    case START -> job.firstAck();
                }
            }
        } finally {
            delete(work);
        }
    }

    private static void say(String format, Object... arguments) {
        System.out.println(String.format(Locale.ROOT, format, arguments));
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder())
                    .forEach(file -> file.toFile().delete());
        }
    }

    /// Text in by kcat and by `sluice produce`, out by both, crosswise: the same SHA-256.
    private void roundTrips() throws IOException, InterruptedException {
        Path text = work.resolve("text");
        RealText.write(text, bytes);
        String wanted = sha256(text);
        boolean kcat = Processes.isInstalled("kcat");
        if (!kcat) {
            say("kcat is not installed: its half of the round trips was left out");
        }
        Path data = work.resolve("round-trips");
        try (BrokerProcess broker = BrokerProcess.start(home, data, List.of(), Map.of())) {
            for (String producer : kcat ? List.of("kcat", "sluice") : List.of("sluice")) {
                String topic = "text-by-" + producer;
                Processes.run(BOUND, producerCommand(producer, broker, topic, text))
                        .orThrow(producer);
                for (String consumer : kcat ? List.of("kcat", "sluice") : List.of("sluice")) {
                    Path copy = work.resolve("copy");
                    Processes.run(BOUND, consumerCommand(consumer, broker, topic), null, copy, Map.of())
                            .orThrow(consumer);
                    String got = sha256(copy);
                    CampaignFailure.require(
                            got.equals(wanted),
                            "produced by " + producer + ", consumed by " + consumer + ": the text changed ("
                                    + Files.size(text) + " bytes in, " + Files.size(copy) + " out; kept in " + work
                                    + ")");
                    say(
                            "round trip   %-6s -> broker -> %-6s  %6.0f MiB, sha256 %s… both",
                            producer, consumer, Files.size(text) / MIB, got.substring(0, 16));
                    Files.delete(copy);
                }
            }
            CampaignFailure.require(broker.stop() == 0, "the broker's exit code was not 0:\n" + broker.screen());
        }
        say("dump-log     accepted all %d segments and indexes of the round trips", KafkaTools.dumpLog(data));
        delete(data);
        Files.delete(text);
    }

    private List<String> producerCommand(String client, BrokerProcess broker, String topic, Path file) {
        return client.equals("kcat")
                ? List.of("kcat", "-P", "-b", broker.bootstrap(), "-t", topic, "-p", "0", "-l", file.toString())
                : List.of(sluice(), "produce", topic, file.toString(), "--bootstrap", broker.bootstrap());
    }

    private List<String> consumerCommand(String client, BrokerProcess broker, String topic) {
        return client.equals("kcat")
                ? List.of("kcat", "-C", "-b", broker.bootstrap(), "-t", topic, "-p", "0", "-o", "beginning", "-e", "-q")
                : List.of(
                        sluice(),
                        "consume",
                        topic,
                        "--from",
                        "beginning",
                        "--to-end",
                        "--bootstrap",
                        broker.bootstrap());
    }

    private String sluice() {
        return home.resolve("bin/sluice").toString();
    }

    /// Kafka's ProducerPerformance at 1 KiB and 100 KiB; a Java consumer with assigned partitions reads all of it;
    /// then dump-log.
    private void performanceToolAndDumpLog() throws IOException, InterruptedException {
        Path data = work.resolve("performance");
        // Small segments, so that there are rolled ones to dump.
        List<String> options = List.of("--set", "log.segment.bytes=" + Math.max(bytes / 8, 1 << 20));
        try (BrokerProcess broker = BrokerProcess.start(home, data, options, Map.of())) {
            for (int size : new int[] {1024, 100 * 1024}) {
                String topic = "perf-" + size;
                long records = bytes / size;
                String line = KafkaTools.producerPerformance(broker.bootstrap(), topic, records, size);
                Load.Sum read = Load.consume(broker.bootstrap(), topic);
                CampaignFailure.require(
                        read.records() == records && read.bytes() == records * size,
                        topic + ": " + records + " records were sent, " + read.records() + " read");
                say("performance  %s; all read back in order", line);
            }
            CampaignFailure.require(broker.stop() == 0, "the broker's exit code was not 0:\n" + broker.screen());
        }
        say("dump-log     accepted all %d segments and indexes after a clean stop", KafkaTools.dumpLog(data));
        delete(data);
    }

    /// strace beside `sluice status`: which calls carried the record bytes.
    private void account() throws IOException, InterruptedException, ExecutionException {
        if (!Processes.isInstalled("strace")) {
            say("strace is not installed: the account was not held against it");
            return;
        }
        for (int batchBytes : new int[] {64 << 10, 256 << 10, 1 << 20}) {
            Path data = work.resolve("account");
            List<String> options = List.of("--set", "message.max.bytes=" + (2 << 20));
            try (BrokerProcess broker = BrokerProcess.start(home, data, options, Map.of())) {
                Load.produce(
                        broker.bootstrap(), "account", 1 << 20, 1000, batchBytes, "all"); // the topic, and warm code
                Status before = Status.of(home, broker.bootstrap());
                Map<String, Strace.Count> in;
                Load.Sum sent;
                try (Strace strace = Strace.attach(broker.pid())) {
                    sent = Load.produce(broker.bootstrap(), "account", bytes, 1000, batchBytes, "all");
                    in = strace.counts();
                }
                Status between = Status.of(home, broker.bootstrap());
                checkIn(in, sent.bytes(), between, before, batchBytes);
                Map<String, Strace.Count> out;
                try (Strace strace = Strace.attach(broker.pid())) {
                    Load.Sum read = Load.consume(broker.bootstrap(), "account");
                    CampaignFailure.require(read.bytes() >= sent.bytes(), "fewer bytes came out than went in");
                    out = strace.counts();
                }
                checkOut(out, sent.bytes(), Status.of(home, broker.bootstrap()), between, batchBytes);
                broker.stop();
            }
            delete(data);
        }
    }

    private static void checkIn(
            Map<String, Strace.Count> calls, long recordBytes, Status after, Status before, int batchBytes) {
        // Batch and record headers come on top of the values; and every batch has a request around it.
        long most = recordBytes + recordBytes / 20 + (1 << 20);
        long zeros = after.since(before, "segments.total.zeros:ahead.bytes");
        long written = -zeros;
        for (String call : Strace.carriers()) {
            long carried = calls.getOrDefault(call, Strace.Count.NONE).bytes();
            if (call.startsWith("pwrite")) {
                written += carried;
                requireNear("segments", call, calls, after, before);
            } else {
                CampaignFailure.require(
                        call.equals("recvfrom")
                                ? carried >= recordBytes && carried <= most
                                : carried < recordBytes / 50,
                        "while " + recordBytes + " bytes were produced, " + call + " carried " + carried);
            }
        }
        CampaignFailure.require(
                written >= recordBytes && written <= most && zeros <= recordBytes,
                "while " + recordBytes + " bytes were produced, " + written + " and " + zeros + " zeros were written");
        requireNear("connections", "recvfrom", calls, after, before);
        report("in ", batchBytes, calls, recordBytes);
    }

    private static void checkOut(
            Map<String, Strace.Count> calls, long recordBytes, Status after, Status before, int batchBytes) {
        for (String call : Strace.carriers()) {
            long carried = calls.getOrDefault(call, Strace.Count.NONE).bytes();
            CampaignFailure.require(
                    call.equals("sendfile") ? carried >= recordBytes : carried < recordBytes / 50,
                    "while " + recordBytes + " bytes were consumed, " + call + " carried " + carried);
        }
        requireNear("connections", "sendfile", calls, after, before);
        requireNear("segments", "sendfile", calls, after, before);
        report("out", batchBytes, calls, recordBytes);
    }

    /// A few calls are seen by one of the two sides only: the connections of `sluice status` itself, and the small
    /// checkpoint files, which are no segments.
    private static void requireNear(
            String kind, String call, Map<String, Strace.Count> calls, Status after, Status before) {
        long told = after.since(before, kind + ".total." + call + ".bytes");
        Strace.Count count = calls.getOrDefault(call, Strace.Count.NONE);
        long traced = count.bytes();
        long toldCalls = after.since(before, kind + ".total." + call + ".calls");
        long tracedCalls = count.calls();
        CampaignFailure.require(
                Math.abs(told - traced) <= 4096 && Math.abs(toldCalls - tracedCalls) <= 16,
                "status tells " + told + " bytes in " + toldCalls + " calls of " + call + " by " + kind + ", strace "
                        + traced + " in " + tracedCalls);
    }

    private static void report(String way, int batchBytes, Map<String, Strace.Count> calls, long recordBytes) {
        StringBuilder text = new StringBuilder();
        long all = 0;
        for (Map.Entry<String, Strace.Count> entry : calls.entrySet()) {
            all += entry.getValue().calls();
            if (entry.getValue().calls() * MIB / recordBytes >= 0.1) {
                text.append(String.format(
                        Locale.ROOT,
                        " %s %.1f",
                        entry.getKey(),
                        entry.getValue().calls() * MIB / recordBytes));
            }
        }
        say(
                "account %s  batches of %4d KiB: %.1f calls/MiB (%s ); status agrees",
                way, batchBytes >> 10, all * MIB / recordBytes, text);
    }

    /// What the loops allocate before they are warm: 9 MiB, most of it by loading and linking classes.
    private static final int HEAP_OF_A_START_BYTES = 12 << 20;

    /// A flight recording: heap allocated by the event loops while data goes in and out.
    private void heap() throws IOException, InterruptedException, ExecutionException {
        Path data = work.resolve("heap");
        Path recording = work.resolve("heap.jfr");
        Map<String, String> environment = Map.of(
                "SLUICE_OPTS",
                "-XX:StartFlightRecording:filename=" + recording
                        + ",settings=profile,jdk.ObjectAllocationOutsideTLAB#enabled=true,jdk.ThreadAllocationStatistics#period=500ms -Xlog:jfr*=off");
        try (BrokerProcess broker = BrokerProcess.start(home, data, List.of(), environment)) {
            Load.Sum sent = Load.produce(broker.bootstrap(), "heap", bytes, 1000, 256 << 10, "all");
            Load.Sum read = Load.consume(broker.bootstrap(), "heap");
            CampaignFailure.require(sent.equals(read), "sent " + sent + ", read " + read);
            broker.stop();
        }
        HeapUse use = HeapUse.of(recording);
        CampaignFailure.require(use.loopBytes() > 0, "the flight recording tells nothing of the event loops");
        CampaignFailure.require(
                use.loopBytes() < HEAP_OF_A_START_BYTES + bytes / 100,
                "the event loops allocated " + use.loopBytes() + " bytes of heap while " + bytes
                        + " bytes went in and out");
        CampaignFailure.require(
                use.largestArray() < 256 << 10,
                "an event loop allocated " + use.largestArray() + " bytes at once: " + use.largestArraysBy());
        say(
                "heap         the event loops allocated %.1f MiB while %.0f MiB went in and out; largest object outside a TLAB"
                        + " %d bytes",
                use.loopBytes() / MIB, bytes / MIB, use.largestArray());
        delete(data);
    }

    private void killed() throws IOException, InterruptedException {
        Path data = work.resolve("killed");
        say("kill -9      %s", KillCampaign.run(home, data, kills, System.nanoTime()));
        delete(data);
    }

    /// From the command to the first acknowledged record, three times on a new folder.
    private void firstAck() throws IOException, InterruptedException {
        FirstAck.warmUp();
        for (int run = 0; run < 3; run++) {
            int port;
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = socket.getLocalPort();
            }
            Path data = work.resolve("first-" + run);
            long startNs = System.nanoTime();
            Process process = new ProcessBuilder(
                            sluice(), "broker", "--data", data.toString(), "--listen", "127.0.0.1:" + port)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                FirstAck.await(port, "first");
                double seconds = (System.nanoTime() - startNs) / 1e9;
                String status = Files.readString(Path.of("/proc", Long.toString(process.pid()), "status"));
                say(
                        "start        command to first acknowledged record %.2f s; resident %d MiB, of it anonymous %d MiB",
                        seconds, field(status, "VmRSS") >> 10, field(status, "RssAnon") >> 10);
            } finally {
                process.destroy();
                process.waitFor();
            }
            delete(data);
        }
    }

    private static long field(String status, String name) {
        return status.lines()
                .filter(line -> line.startsWith(name + ":"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                .findFirst()
                .orElseThrow();
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] buffer = new byte[1 << 20];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                digest.update(buffer, 0, n);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
