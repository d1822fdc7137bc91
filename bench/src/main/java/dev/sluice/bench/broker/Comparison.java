package dev.sluice.bench.broker;

import dev.sluice.bench.tools.CpuClock;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/// Runs of all subjects on one work, interleaved: in each round every subject once, the first of a round is the last of
/// the next.
///
/// Each run has a topic of its own, which is deleted afterwards, so that memory goes round among the subjects and
/// nobody gets what the machine has handed out for the first time. Before a run everything is written back.
final class Comparison {
    private static final Before NOTHING = _ -> () -> {};

    private final Path load;
    private final Path limit;
    private final Path folder;
    private final long mebibytes;
    private final Map<Subject, Peer> peers;
    private final Map<Subject, Laggard> laggards = new EnumMap<>(Subject.class);
    private int topics;

    /// @param folder    where the limit's file goes: on the file system of the servers' data
    /// @param mebibytes what a run moves, where its work doesn't say how many requests it makes
    Comparison(Path load, Path limit, Path folder, long mebibytes, Map<Subject, Peer> peers) {
        this.load = load;
        this.limit = limit;
        this.folder = folder;
        this.mebibytes = mebibytes;
        this.peers = peers;
    }

    /// @return runs by subject, one a round, without the warm-ups
    Map<Subject, List<Run>> measure(Work work, List<Subject> subjects, int warmups, int rounds)
            throws IOException, InterruptedException {
        List<Subject> taking = new ArrayList<>(
                subjects.stream().filter(subject -> subject.does(work)).toList());
        Map<Subject, List<Run>> runs = new EnumMap<>(Subject.class);
        for (int round = -warmups; round < rounds; round++) {
            for (Subject subject : taking) {
                Run run = subject.isProgram() ? limit(work, subject) : load(work, subject, NOTHING);
                if (round >= 0) {
                    runs.computeIfAbsent(subject, _ -> new ArrayList<>()).add(run);
                }
            }
            taking.add(taking.removeFirst());
        }
        return runs;
    }

    /// What is done to a topic before a run, and undone after it.
    interface Before {
        AutoCloseable run(String topic) throws Exception;
    }

    /// Where the time of a run goes, by perf.
    BrokerProfile profile(Work work, Subject subject) throws IOException, InterruptedException {
        List<BrokerProfile.Recording> recordings = new ArrayList<>();
        loadWith(work, subject, () -> {
            BrokerProfile.Recording recording =
                    new BrokerProfile.Recording(peer(subject).server());
            recordings.add(recording);
            return recording;
        });
        return recordings.getFirst().read();
    }

    /// Bytes that the server's JVM allocates a request.
    double allocatedBytesARequest(Work work, Subject subject) throws IOException, InterruptedException {
        Server server = peer(subject).server();
        long[] allocated = new long[1];
        Run run = loadWith(work, subject, () -> {
            Allocation before = Allocation.read(server);
            return () -> allocated[0] = Allocation.read(server).since(before);
        });
        return allocated[0] / run.field("requests");
    }

    /// A run during which something else is measured.
    private Run loadWith(Work work, Subject subject, Callable<AutoCloseable> measuring)
            throws IOException, InterruptedException {
        return load(work, subject, _ -> measuring.call());
    }

    /// One run, with a topic of its own.
    ///
    /// @param before what is done once the topic is there and filled, such as opening connections that say nothing
    private Run load(Work work, Subject subject, Before before) throws IOException, InterruptedException {
        String topic = filled(work, subject);
        try {
            sync();
            if (work.kind() == Work.Kind.COLD) {
                dropCaches();
            }
            if (work.kind() == Work.Kind.LAGGARD) {
                return laggard(subject)
                        .measure(
                                () -> timed(work, subject, topic, NOTHING, true),
                                () -> timed(work, subject, topic, before, true));
            }
            return timed(work, subject, topic, before, true);
        } finally {
            peer(subject).delete(topic);
        }
    }

    private Laggard laggard(Subject subject) throws IOException, InterruptedException {
        Laggard known = laggards.get(subject);
        if (known == null) {
            known = new Laggard(load, subject, peer(subject), mebibytes);
            laggards.put(subject, known);
            sync();
        }
        return known;
    }

    /// Runs of one subject, one after the other. A topic that is only read, or that batches are dealt out to the
    /// partitions of, serves all of them; what grows is a new one each time. Nothing waits for write-back, so the
    /// machine's time is not all that was caused.
    List<Run> several(Work work, Subject subject, int count) throws IOException, InterruptedException {
        boolean stays = work.isFetch() || work.partitions() > 1;
        List<Run> runs = new ArrayList<>();
        String topic = filled(work, subject);
        try {
            for (int i = 0; i < count; i++) {
                if (i > 0 && !stays) {
                    peer(subject).delete(topic);
                    topic = filled(work, subject);
                }
                runs.add(timed(work, subject, topic, NOTHING, false));
            }
        } finally {
            peer(subject).delete(topic);
        }
        return runs;
    }

    /// A new topic, with what a work reads in it.
    private String filled(Work work, Subject subject) throws IOException, InterruptedException {
        Peer peer = peer(subject);
        String topic = "load-" + topics++;
        peer.create(topic, work.partitions());
        if (work.isFetch() && peer instanceof NginxPeer files) {
            files.fill(topic, mebibytes);
        } else if (work.isFetch()) {
            run(subject, "produce", topic, work.fill());
        }
        return topic;
    }

    /// @param writtenBack whether the machine's time is counted until all is on the device
    private Run timed(Work work, Subject subject, String topic, Before before, boolean writtenBack)
            throws IOException, InterruptedException {
        Server server = peer(subject).server();
        try (AutoCloseable _ = before.run(topic)) {
            double machineBefore = CpuClock.machineSeconds();
            long deviceBefore = server.deviceBytes();
            long serverBefore = server.cpuNs();
            long faultsBefore = server.minorFaults();
            List<String> options = new ArrayList<>(work.options());
            if (work.consumers() > 1) {
                options.add("mib=" + work.consumers() * mebibytes);
            }
            Figures line = run(subject, work.kind().program, topic, options);
            long serverNs = server.cpuNs() - serverBefore;
            long faults = server.minorFaults() - faultsBefore;
            if (writtenBack) {
                sync();
            }
            double machineSeconds = CpuClock.machineSeconds() - machineBefore - line.get("cpuSeconds");
            long deviceBytes = server.deviceBytes() - deviceBefore;
            return new Run(serverNs, nanoseconds(machineSeconds), deviceBytes, faults, line);
        } catch (IOException | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }

    /// Reads all that a work has produced and compares it with what was sent.
    void check(Work work, Subject subject) throws IOException, InterruptedException {
        Peer peer = peer(subject);
        if (!(peer instanceof KafkaPeer)) {
            return; // what comes back is in a form of the server's own
        }
        String topic = "check-" + topics++;
        peer.create(topic, 1);
        Figures produced = run(subject, "produce", topic, work.fill());
        List<String> reading = new ArrayList<>(work.fill());
        reading.add("check=1");
        Figures fetched = run(subject, "fetch", topic, reading);
        if (fetched.get("payloadBytes") < produced.get("payloadBytes") / 2) {
            throw new IOException(subject.label + ": " + fetched + " of " + produced);
        }
        peer.delete(topic);
    }

    private Figures run(Subject subject, String kind, String topic, List<String> options)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                load.toString(),
                kind,
                Integer.toString(peer(subject).server().port()),
                topic,
                "protocol=" + subject.protocol,
                "mib=" + mebibytes));
        command.addAll(options);
        return ended(command);
    }

    private Run limit(Work work, Subject subject) throws IOException, InterruptedException {
        Path file = folder.resolve("limit.data");
        if (work.isFetch()) {
            Filling.write(file, mebibytes);
        }
        sync();
        double machineBefore = CpuClock.machineSeconds();
        Figures line = ended(work.isSmallRequests() ? answers(work, subject, file) : moves(work, subject, file));
        double client = line.has("clientCpuSeconds") ? line.get("clientCpuSeconds") : 0;
        long machineNs = nanoseconds(CpuClock.machineSeconds() - machineBefore - client);
        Files.deleteIfExists(file);
        return new Run(nanoseconds(line.get("cpuSeconds")), machineNs, 0, (long) line.get("faults"), line);
    }

    private List<String> moves(Work work, Subject subject, Path file) {
        List<String> command = new ArrayList<>(List.of(
                limit.toString(),
                work.limit(),
                file.toString(),
                Integer.toString(work.chunkBytes()),
                Long.toString(mebibytes)));
        if (!work.isFetch()) {
            command.addAll(List.of(subject.way(), Integer.toString(work.partitions())));
        }
        return command;
    }

    /// The limit serves the load program, as the servers do.
    private List<String> answers(Work work, Subject subject, Path file) {
        String how = subject == Subject.LIMIT_SENDFILE ? "sendfile" : work.isFetch() ? "memory" : "pwrite";
        List<String> command = new ArrayList<>(List.of(
                limit.toString(), "answers", file.toString(), how, load.toString(), work.kind().program, "load"));
        command.addAll(work.options());
        return command;
    }

    /// Runs a load program to its end.
    static Figures ended(List<String> command) throws IOException, InterruptedException {
        Tools.Ended ended = Tools.run(command);
        if (ended.exitCode() != 0) {
            throw new IOException(String.join(" ", command) + ": " + ended.output());
        }
        return Figures.parse(ended.output());
    }

    private Peer peer(Subject subject) {
        Peer peer = peers.get(subject);
        if (peer == null) {
            throw new IllegalArgumentException(subject.label + " was not started");
        }
        return peer;
    }

    private static long nanoseconds(double seconds) {
        return (long) (seconds * 1e9);
    }

    private static void sync() throws IOException, InterruptedException {
        Tools.run(List.of("sync"));
    }

    private static void dropCaches() throws IOException {
        Files.writeString(Path.of("/proc/sys/vm/drop_caches"), "1\n");
    }
}
