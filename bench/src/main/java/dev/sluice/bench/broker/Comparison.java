package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/// Runs of all subjects on one work, interleaved: in each round every subject once, the first of a round is the last of
/// the next.
///
/// Each run has a topic of its own, which is deleted afterwards, so that memory goes round among the subjects and
/// nobody gets what the machine has handed out for the first time. Before a run everything is written back.
final class Comparison {
    private static final double TICKS_PER_SECOND = 100;
    private static final long TOPIC_SECONDS = 60;
    private static final long LOOK_MS = 100;

    private final Path load;
    private final Path limit;
    private final Path folder;
    private final long mebibytes;
    private final Map<Subject, Server> servers;
    private final Map<Subject, Admin> admins = new EnumMap<>(Subject.class);
    private int topics;

    /// @param folder    where the limit's file goes: on the file system of the servers' data
    /// @param mebibytes what a run moves, where its work doesn't say how many requests it makes
    Comparison(Path load, Path limit, Path folder, long mebibytes, Map<Subject, Server> servers) {
        this.load = load;
        this.limit = limit;
        this.folder = folder;
        this.mebibytes = mebibytes;
        this.servers = servers;
        servers.forEach((subject, server) -> {
            Properties properties = new Properties();
            properties.put("bootstrap.servers", server.bootstrap());
            admins.put(subject, Admin.create(properties));
        });
    }

    /// @return runs by subject, one a round, without the warm-ups
    Map<Subject, List<Run>> measure(Work work, List<Subject> subjects, int warmups, int rounds)
            throws IOException, InterruptedException {
        List<Subject> taking = new ArrayList<>(subjects.stream()
                .filter(subject -> subject != Subject.LIMIT || work.chunkBytes() > 0)
                .toList());
        Map<Subject, List<Run>> runs = new EnumMap<>(Subject.class);
        for (int round = -warmups; round < rounds; round++) {
            for (Subject subject : taking) {
                Run run = subject == Subject.LIMIT ? limit(work) : load(work, subject);
                if (round >= 0) {
                    runs.computeIfAbsent(subject, _ -> new ArrayList<>()).add(run);
                }
            }
            taking.add(taking.removeFirst());
        }
        return runs;
    }

    private Run load(Work work, Subject subject) throws IOException, InterruptedException {
        Server server = server(subject);
        Admin admin = admin(subject);
        String topic = "load-" + topics++;
        create(admin, topic, work.partitions());
        try {
            if (work.isFetch()) {
                run(server, "produce", topic, work.fill());
            }
            sync();
            if (work.kind() == Work.Kind.COLD) {
                dropCaches();
            }
            long machineBefore = machineNs();
            long before = server.cpuNs();
            Figures line = run(server, work.kind().program, topic, work.options());
            long serverNs = server.cpuNs() - before;
            sync();
            long machineNs = machineNs() - machineBefore - (long) (line.get("cpuSeconds") * 1e9);
            return new Run(serverNs, machineNs, line);
        } finally {
            await(() -> admin.deleteTopics(List.of(topic)).all().get(TOPIC_SECONDS, TimeUnit.SECONDS));
        }
    }

    /// Reads all that a work has produced and compares it with what was sent.
    void check(Work work, Subject subject) throws IOException, InterruptedException {
        Admin admin = admin(subject);
        String topic = "check-" + topics++;
        create(admin, topic, 1);
        Figures produced = run(server(subject), "produce", topic, work.fill());
        List<String> reading = new ArrayList<>(work.fill());
        reading.add("check=1");
        Figures fetched = run(server(subject), "fetch", topic, reading);
        if (fetched.get("payloadBytes") < produced.get("payloadBytes") / 2) {
            throw new IOException(subject.label + ": " + fetched + " of " + produced);
        }
        await(() -> admin.deleteTopics(List.of(topic)).all().get(TOPIC_SECONDS, TimeUnit.SECONDS));
    }

    /// Makes a topic and waits until its partitions answer.
    private static void create(Admin admin, String topic, int partitions) throws IOException, InterruptedException {
        await(() -> admin.createTopics(List.of(new NewTopic(topic, partitions, (short) 1)))
                .all()
                .get(TOPIC_SECONDS, TimeUnit.SECONDS));
        Map<TopicPartition, OffsetSpec> all = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            all.put(new TopicPartition(topic, partition), OffsetSpec.latest());
        }
        long begunNs = System.nanoTime();
        while (true) {
            try {
                await(() -> admin.listOffsets(all).all().get(TOPIC_SECONDS, TimeUnit.SECONDS));
                return;
            } catch (IOException e) {
                if (System.nanoTime() - begunNs > TimeUnit.SECONDS.toNanos(TOPIC_SECONDS)) {
                    throw e;
                }
                Thread.sleep(LOOK_MS); // Kafka's broker learns of a topic a moment after its controller has answered
            }
        }
    }

    private Figures run(Server server, String kind, String topic, List<String> options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(load.toString(), kind, Integer.toString(server.port()), topic, "mib=" + mebibytes));
        command.addAll(options);
        return ended(command);
    }

    private Run limit(Work work) throws IOException, InterruptedException {
        Path file = folder.resolve("limit.data");
        if (work.isFetch()) {
            fill(file);
        }
        sync();
        long machineBefore = machineNs();
        Figures line = ended(List.of(
                limit.toString(),
                work.limit(),
                file.toString(),
                Integer.toString(work.chunkBytes()),
                Long.toString(mebibytes)));
        long machineNs = machineNs() - machineBefore;
        Files.deleteIfExists(file);
        return new Run((long) (line.get("cpuSeconds") * 1e9), machineNs, line);
    }

    private void fill(Path file) throws IOException {
        byte[] mebibyte = new byte[1 << 20];
        try (var out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
            for (long i = 0; i < mebibytes; i++) {
                out.write(mebibyte);
            }
        }
    }

    private static Figures ended(List<String> command) throws IOException, InterruptedException {
        Tools.Ended ended = Tools.run(command);
        if (ended.exitCode() != 0) {
            throw new IOException(String.join(" ", command) + ": " + ended.output());
        }
        return Figures.parse(ended.output());
    }

    private Server server(Subject subject) {
        Server server = servers.get(subject);
        if (server == null) {
            throw new IllegalArgumentException(subject.label + " was not started");
        }
        return server;
    }

    private Admin admin(Subject subject) {
        Admin admin = admins.get(subject);
        if (admin == null) {
            throw new IllegalArgumentException(subject.label + " was not started");
        }
        return admin;
    }

    private static void sync() throws IOException, InterruptedException {
        Tools.run(List.of("sync"));
    }

    private static void dropCaches() throws IOException {
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "1\n");
    }

    /// What all processors were busy with so far.
    private static long machineNs() throws IOException {
        String[] fields = Files.readString(Path.of("/proc/stat"))
                .lines()
                .findFirst()
                .orElseThrow()
                .split(" +");
        long ticks = 0;
        for (int field : new int[] {1, 2, 3, 6, 7}) { // user, nice, system, irq, softirq
            ticks += Long.parseLong(fields[field]);
        }
        return (long) (ticks / TICKS_PER_SECOND * 1e9);
    }

    private interface Asked {
        void run() throws Exception;
    }

    private static void await(Asked asked) throws IOException, InterruptedException {
        try {
            asked.run();
        } catch (InterruptedException e) {
            throw e;
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    void close() {
        admins.values().forEach(Admin::close);
    }
}
