package dev.sluice.bench.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.bench.tools.Tools;
import dev.sluice.broker.Broker;
import dev.sluice.broker.config.BrokerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The load program against a broker, in small: right bytes, right counts, no times.
@Timeout(180)
class LoadTest {
    private static final Path SOURCES = Path.of("src", "main", "c");

    @TempDir
    Path folder;

    private Path load;
    private Broker broker;

    @BeforeEach
    void start() throws Exception {
        assumeTrue(Tools.isInstalled("gcc"), "gcc is not installed");
        load = Tools.compile(SOURCES, folder, "load");
        broker = Broker.start(BrokerConfig.load(Map.of(
                "log.dirs",
                folder.resolve("data").toString(),
                "listeners",
                "PLAINTEXT://127.0.0.1:0",
                "auto.create.topics.enable",
                "true",
                "num.partitions",
                "4")));
    }

    @AfterEach
    void stop() throws Exception {
        if (broker != null) {
            broker.close();
        }
    }

    private Tools.Ended load(String kind, String topic, String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                load.toString(),
                kind,
                Integer.toString(broker.addresses().getFirst().getPort()),
                topic));
        command.addAll(List.of(options));
        return Tools.run(command);
    }

    @ParameterizedTest
    @ValueSource(strings = {"batch=1", "batch=16384", "batch=1000000"})
    void whatIsProducedIsFetched(String batch) throws Exception {
        makeTopic("whole");
        Tools.Ended produced = load("produce", "whole", batch, "mib=4");
        assertThat(produced.exitCode()).as(produced.output()).isZero();
        Tools.Ended fetched = load("fetch", "whole", batch, "mib=4", "check=1");
        assertThat(fetched.exitCode()).as(fetched.output()).isZero();

        assertThat(Figures.parse(fetched.output()).get("payloadBytes"))
                .isBetween(
                        0.9 * (4 << 20), 1.1 * Figures.parse(produced.output()).get("payloadBytes") + (1 << 20));
    }

    @Test
    void aCheckThatExpectsOtherBytesFails() throws Exception {
        makeTopic("other");
        load("produce", "other", "batch=16384", "record=1000", "mib=1");

        assertThat(load("fetch", "other", "batch=16384", "record=1001", "mib=1", "check=1")
                        .exitCode())
                .isEqualTo(1);
    }

    @Test
    void manyConnectionsDealOutToAllPartitions() throws Exception {
        makeTopic("spread");
        Tools.Ended produced = load("produce", "spread", "batch=2048", "connections=8", "partitions=4", "requests=800");
        assertThat(produced.exitCode()).as(produced.output()).isZero();

        assertThat(Figures.parse(produced.output()).get("requests")).isEqualTo(800);
        for (int connections = 1; connections <= 4; connections++) {
            Tools.Ended fetched = load(
                    "fetch",
                    "spread",
                    "batch=2048",
                    "connections=" + connections,
                    "partitions=" + connections,
                    "requests=40",
                    "max=4096",
                    "check=1");
            assertThat(fetched.exitCode()).as(fetched.output()).isZero();
        }
    }

    @Test
    void aRecordComesFromEndToEnd() throws Exception {
        makeTopic("ends");
        Tools.Ended ended = load("e2e", "ends", "requests=50");
        assertThat(ended.exitCode()).as(ended.output()).isZero();

        assertThat(Figures.parse(ended.output()).get("requests")).isEqualTo(50);
    }

    @Test
    void theLimitMovesWhatItIsTold() throws Exception {
        Path limit = Tools.compile(SOURCES, folder, "limit");
        Tools.Ended ended = Tools.run(
                List.of(limit.toString(), "ingest", folder.resolve("f").toString(), "65536", "4"));

        assertThat(ended.exitCode()).as(ended.output()).isZero();
        assertThat(Figures.parse(ended.output()).get("payloadBytes")).isEqualTo(4 << 20);
    }

    @ParameterizedTest
    @CsvSource({"pwrite,produce,batch=1", "memory,fetch,max=4096", "sendfile,fetch,max=4096"})
    void theLimitAnswersSmallRequests(String how, String kind, String size) throws Exception {
        Tools.Ended ended = answers(how, kind, "batch=3500", size);

        assertThat(ended.exitCode()).as(ended.output()).isZero();
        assertThat(Figures.parse(ended.output()).get("requests")).isEqualTo(400);
        assertThat(Figures.parse(ended.output()).get("cpuSeconds")).isPositive();
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "sendfile"})
    void theLimitFailsWhenItsClientsGoAwayBeforeTheirWorkIsDone(String how) throws Exception {
        Tools.Ended ended = answers(how, "fetch", "batch=5000", "max=4096"); // a batch is longer than an answer

        assertThat(ended.exitCode()).as(ended.output()).isEqualTo(1);
        assertThat(ended.output()).isEqualTo("half a batch came: 4096\nthe load program failed\n");
    }

    @Test
    void theLimitTellsWhatItCanNotAnswer() throws Exception {
        Tools.Ended ended = answers("pwrite", "produce", "batch=262144");

        assertThat(ended.exitCode()).as(ended.output()).isEqualTo(1);
        assertThat(ended.output()).contains("limit answers whole requests of 64 KiB at most");
    }

    private Tools.Ended answers(String how, String kind, String... sizes) throws Exception {
        Path limit = Tools.compile(SOURCES, folder, "limit");
        Path file = Files.write(folder.resolve("f"), new byte[1 << 20]);
        List<String> command = new ArrayList<>(
                List.of(limit.toString(), "answers", file.toString(), how, load.toString(), kind, "load"));
        command.addAll(List.of(sizes));
        command.addAll(List.of("connections=8", "depth=1", "requests=400"));
        return Tools.run(command);
    }

    private void makeTopic(String name) throws Exception {
        try (var admin = org.apache.kafka.clients.admin.Admin.create(Map.of(
                "bootstrap.servers",
                "127.0.0.1:" + broker.addresses().getFirst().getPort()))) {
            admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic(name, 4, (short) 1)))
                    .all()
                    .get();
        }
    }
}
