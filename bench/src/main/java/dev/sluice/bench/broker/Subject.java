package dev.sluice.bench.broker;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/// Who is measured.
enum Subject {
    SLUICE("sluice"),
    /// Apache Kafka as it comes: its start script's JVM options, its shipped server.properties on loopback.
    KAFKA("kafka"),
    /// Apache Kafka as one tunes it for this work: one network thread a core, socket buffers left to the kernel.
    KAFKA_TUNED("kafka-tuned"),
    /// A C program that does the same with the kernel alone.
    LIMIT("limit");

    private static final Pattern SLUICE_LISTENS = Pattern.compile("listens on +127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern KAFKA_LISTENS =
            Pattern.compile("sluice-bench-port=(\\d+)[\\s\\S]*Kafka Server started");

    final String label;

    Subject(String label) {
        this.label = label;
    }

    static Subject of(String label) {
        for (Subject subject : values()) {
            if (subject.label.equals(label)) {
                return subject;
            }
        }
        throw new IllegalArgumentException("No subject is called " + label + ": sluice, kafka, kafka-tuned, limit");
    }

    /// Starts the server, with its own folder below `parent`.
    ///
    /// @param kafkaClasspath of Apache Kafka's server
    Server start(Path parent, String kafkaClasspath) throws IOException, InterruptedException {
        Path folder = Folders.fresh(parent, label);
        return switch (this) {
            case SLUICE ->
                Server.start(
                        label,
                        List.of(
                                "bin/sluice",
                                "broker",
                                "--listen",
                                "127.0.0.1:0",
                                "--data",
                                folder.resolve("data").toString()),
                        folder,
                        SLUICE_LISTENS);
            case KAFKA, KAFKA_TUNED -> startKafka(folder, kafkaClasspath);
            case LIMIT -> throw new IllegalStateException("the limit is a program, not a server");
        };
    }

    private Server startKafka(Path folder, String classpath) throws IOException, InterruptedException {
        int port = freePort();
        Path properties = folder.resolve("server.properties");
        Files.writeString(properties, kafkaProperties(folder.resolve("data"), port, freePort()));
        Path logging = folder.resolve("log4j2.properties");
        Files.writeString(logging, """
                appender.out.type = Console
                appender.out.name = out
                appender.out.layout.type = PatternLayout
                appender.out.layout.pattern = %m%n
                rootLogger.level = WARN
                rootLogger.appenderRef.out.ref = out
                logger.started.name = kafka.server.KafkaRaftServer
                logger.started.level = INFO
                """);
        List<String> java = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms1g",
                "-Xmx1g",
                "-server",
                "-XX:+UseG1GC",
                "-XX:MaxGCPauseMillis=20",
                "-XX:InitiatingHeapOccupancyPercent=35",
                "-XX:+ExplicitGCInvokesConcurrent",
                "-Djava.awt.headless=true",
                "-Dlog4j2.configurationFile=" + logging,
                "-cp",
                classpath));
        List<String> format = new ArrayList<>(java);
        format.addAll(List.of(
                "kafka.tools.StorageTool", "format", "-t", "c2x1aWNlLWJlbmNoLTAwMA", "-c", properties.toString()));
        Process formatting = new ProcessBuilder(format)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("format.output").toFile())
                .start();
        if (formatting.waitFor() != 0) {
            throw new IOException(
                    "Kafka's folder could not be formatted:\n" + Files.readString(folder.resolve("format.output")));
        }
        java.addAll(List.of("kafka.Kafka", properties.toString()));
        List<String> announced =
                new ArrayList<>(List.of("/bin/sh", "-c", "echo sluice-bench-port=" + port + "; exec \"$@\"", "sh"));
        announced.addAll(java);
        return Server.start(label, announced, folder, KAFKA_LISTENS);
    }

    private String kafkaProperties(Path data, int port, int controllerPort) {
        String shipped = """
                process.roles=broker,controller
                node.id=1
                controller.quorum.voters=1@127.0.0.1:%2$d
                listeners=PLAINTEXT://127.0.0.1:%1$d,CONTROLLER://127.0.0.1:%2$d
                advertised.listeners=PLAINTEXT://127.0.0.1:%1$d
                inter.broker.listener.name=PLAINTEXT
                controller.listener.names=CONTROLLER
                listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
                log.dirs=%3$s
                num.partitions=1
                offsets.topic.replication.factor=1
                transaction.state.log.replication.factor=1
                transaction.state.log.min.isr=1
                share.coordinator.state.topic.replication.factor=1
                share.coordinator.state.topic.min.isr=1
                group.initial.rebalance.delay.ms=0
                log.segment.bytes=1073741824
                log.segment.delete.delay.ms=1000
                """.formatted(port, controllerPort, data);
        return shipped + (this == KAFKA_TUNED ? """
                        num.network.threads=2
                        num.io.threads=4
                        socket.send.buffer.bytes=-1
                        socket.receive.buffer.bytes=-1
                        log.index.size.max.bytes=65536
                        """ : """
                        num.network.threads=3
                        num.io.threads=8
                        socket.send.buffer.bytes=102400
                        socket.receive.buffer.bytes=102400
                        """);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }
}
