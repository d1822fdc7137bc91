package dev.sluice.bench.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// Who is measured.
enum Subject {
    SLUICE("sluice", "kafka"),
    /// The same with the engine `mapped`.
    SLUICE_MAPPED("sluice-mapped", "kafka"),
    /// The same with the engine `direct`.
    SLUICE_DIRECT("sluice-direct", "kafka"),
    /// Apache Kafka as it comes: its start script's JVM options, its shipped server.properties on loopback.
    KAFKA("kafka", "kafka"),
    /// Apache Kafka as one tunes it for this work: one network thread a core, socket buffers left to the kernel.
    KAFKA_TUNED("kafka-tuned", "kafka"),
    ROCKETMQ("rocketmq", "rocketmq"),
    /// A file server: it has no produce.
    NGINX("nginx", "http"),
    /// A C program that does the same with the kernel alone.
    LIMIT("limit", ""),
    /// The same with what is received copied to a map of the file, which is filled with zeros before.
    LIMIT_MAPPED("limit-mapped", ""),
    /// Received straight to a map of fresh pages.
    LIMIT_FRESH("limit-mapped-fresh", ""),
    /// Socket, pipe, file; nobody looks at the bytes.
    LIMIT_SPLICE("limit-splice", ""),
    /// The same, and read back for a checksum, as a broker has to.
    LIMIT_SPLICE_PREAD("limit-splice-pread", ""),
    /// The same with small answers sent by sendfile, not from memory.
    LIMIT_SENDFILE("limit-sendfile", "");

    private static final int MOST_ROCKETMQ_QUEUES = 16;

    final String label;
    /// What the load program speaks with it.
    final String protocol;

    Subject(String label, String protocol) {
        this.label = label;
        this.protocol = protocol;
    }

    static Subject of(String label) {
        for (Subject subject : values()) {
            if (subject.label.equals(label)) {
                return subject;
            }
        }
        throw new IllegalArgumentException("No subject is called " + label + ": " + names());
    }

    /// What all are called, with blanks between.
    static String names() {
        return String.join(
                " ", Stream.of(values()).map(subject -> subject.label).toList());
    }

    /// How the limit program writes what it takes in.
    String way() {
        return this == LIMIT ? "pwrite" : label.substring(LIMIT.label.length() + 1);
    }

    /// Whether there is something to compare: the work is one that this subject can be given.
    boolean does(Work work) {
        return switch (this) {
            case SLUICE, SLUICE_MAPPED, SLUICE_DIRECT, KAFKA, KAFKA_TUNED -> true;
            case ROCKETMQ ->
                work.partitions() <= MOST_ROCKETMQ_QUEUES
                        && (work.kind() == Work.Kind.PRODUCE || work.kind() == Work.Kind.FETCH);
            case NGINX -> work.isFetch();
            case LIMIT -> work.chunkBytes() > 0 || work.isSmallRequests();
            case LIMIT_MAPPED, LIMIT_FRESH, LIMIT_SPLICE, LIMIT_SPLICE_PREAD ->
                work.chunkBytes() > 0 && work.kind() == Work.Kind.PRODUCE;
            case LIMIT_SENDFILE -> work.isSmallRequests() && work.isFetch();
        };
    }

    /// Whether it is a program that runs once a round, not a server.
    boolean isProgram() {
        return protocol.isEmpty();
    }

    /// Starts the server, with its own folder below `parent`.
    ///
    /// @param classpaths where files tell of what the peers are made, one a peer
    Peer start(Path parent, Path classpaths) throws IOException, InterruptedException {
        Path folder = Folders.fresh(parent, label);
        return switch (this) {
            case SLUICE -> KafkaPeer.sluice(label, folder, "pwrite");
            case SLUICE_MAPPED -> KafkaPeer.sluice(label, folder, "mapped");
            case SLUICE_DIRECT -> KafkaPeer.sluice(label, folder, "direct");
            case KAFKA -> KafkaPeer.kafka(label, folder, classpath(classpaths, "kafka"), false);
            case KAFKA_TUNED -> KafkaPeer.kafka(label, folder, classpath(classpaths, "kafka"), true);
            case ROCKETMQ -> RocketMqPeer.start(label, folder, classpath(classpaths, "rocketmq"));
            case NGINX -> NginxPeer.start(label, folder);
            case LIMIT, LIMIT_MAPPED, LIMIT_FRESH, LIMIT_SPLICE, LIMIT_SPLICE_PREAD, LIMIT_SENDFILE ->
                throw new IllegalStateException("the limit is a program, not a server");
        };
    }

    private static String classpath(Path folder, String peer) throws IOException {
        return Files.readString(folder.resolve(peer + ".classpath")).strip();
    }
}
