package dev.sluice.bench.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;

/// A server that speaks Kafka's protocol: Sluice, or Apache Kafka.
record KafkaPeer(Server server, Admin admin) implements Peer {
    private static final Pattern SLUICE_LISTENS = Pattern.compile("listens on +127\\.0\\.0\\.1:(\\d+)");
    private static final int MOST_CONNECTIONS = 20_000;
    private static final long TOPIC_SECONDS = 60;
    private static final long LOOK_MS = 100;

    /// Sluice by its command, with its defaults but for the bounds on connections: one client opens them all.
    ///
    /// @param settings key=value, further ones
    static Peer sluice(String label, Path folder, String engine, String... settings)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                "bin/sluice",
                "broker",
                "--listen",
                "127.0.0.1:0",
                "--data",
                folder.resolve("data").toString(),
                "--set",
                "sluice.log.engine=" + engine,
                "--set",
                "max.connections=" + MOST_CONNECTIONS,
                "--set",
                "max.connections.per.ip=" + MOST_CONNECTIONS));
        for (String setting : settings) {
            command.add("--set");
            command.add(setting);
        }
        return of(Server.start(label, command, folder, SLUICE_LISTENS));
    }

    /// Apache Kafka: its start script's JVM options, its shipped server.properties on loopback.
    ///
    /// @param tuned with a network thread a core, socket buffers left to the kernel, small index files
    static Peer kafka(String label, Path folder, String classpath, boolean tuned)
            throws IOException, InterruptedException {
        int port = Peer.freePort();
        Path properties = folder.resolve("server.properties");
        Files.writeString(properties, kafkaProperties(folder.resolve("data"), port, Peer.freePort(), tuned));
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
                Peer.java(),
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
        return of(Peer.start(label, java, folder, port, "Kafka Server started"));
    }

    private static String kafkaProperties(Path data, int port, int controllerPort, boolean tuned) {
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
        return shipped + (tuned ? """
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

    static Peer of(Server server) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", server.bootstrap());
        return new KafkaPeer(server, Admin.create(properties));
    }

    @Override
    public void create(String topic, int partitions) throws IOException, InterruptedException {
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

    @Override
    public void delete(String topic) throws IOException, InterruptedException {
        await(() -> admin.deleteTopics(List.of(topic)).all().get(TOPIC_SECONDS, TimeUnit.SECONDS));
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

    @Override
    public void close() throws IOException {
        admin.close();
        server.close();
    }
}
