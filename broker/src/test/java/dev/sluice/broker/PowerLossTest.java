package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.log.RecoveryReport;
import dev.sluice.testbase.RequiresProgram;
import dev.sluice.testkit.Batches;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What clients see of a partition whose end was lost with the power: older records, newer records, and between them
/// offsets that stand for nothing.
@Timeout(180)
class PowerLossTest {
    private static final TopicPartition PARTITION = new TopicPartition("t", 0);

    @TempDir
    Path temporary;

    private TestBroker broker;
    private long skippedTo;

    /// "one" survives, "two" was seen and is lost, "three" comes afterwards.
    @BeforeEach
    void losePower() throws IOException {
        Path data = temporary.resolve("data");
        broker = TestBroker.start(data);
        TopicRef topic;
        long kept;
        try (TestClient client = broker.client()) {
            topic = client.create("t", 1);
            client.append(topic, 0, Batches.of("one").bytes());
            kept = Files.size(log(data));
            client.append(topic, 0, Batches.of("two").bytes());
            assertThat(client.endOffset(topic, 0)).isEqualTo(2);
        }
        Path copy = temporary.resolve("after");
        Path before = temporary.resolve("data");
        try (var all = Files.walk(before)) {
            for (Path from : all.filter(each -> Files.isDirectory(each) || Files.isRegularFile(each))
                    .toList()) { // the socket is no part of the log
                Files.copy(from, copy.resolve(before.relativize(from).toString()));
            }
        }
        broker.close();
        Files.write(log(copy), java.util.Arrays.copyOf(Files.readAllBytes(log(copy)), (int) kept));

        broker = TestBroker.start(copy);
        RecoveryReport.Partition found =
                broker.broker().recoveryReport().skipped().getFirst();
        assertThat(found.name()).isEqualTo("t-0");
        skippedTo = found.logEndOffset();
        assertThat(skippedTo).isGreaterThan(2);
    }

    private static Path log(Path data) {
        return data.resolve("t-0").resolve("00000000000000000000.log");
    }

    @AfterEach
    void stop() throws IOException {
        broker.close();
    }

    private void appendThree() throws IOException {
        try (TestClient client = broker.client()) {
            TopicRef topic = new TopicRef("t", org.apache.kafka.common.Uuid.ZERO_UUID);
            assertThat(client.produce(
                                    12,
                                    TestClient.ALL,
                                    topic,
                                    0,
                                    Batches.of("three").bytes())
                            .baseOffset())
                    .isEqualTo(skippedTo);
        }
    }

    private KafkaConsumer<String, String> consumer() {
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", broker.bootstrap(), "auto.offset.reset", "none"),
                new StringDeserializer(),
                new StringDeserializer());
        consumer.assign(List.of(PARTITION));
        return consumer;
    }

    private static List<String> read(KafkaConsumer<String, String> consumer, long toPosition) {
        List<String> values = new ArrayList<>();
        while (consumer.position(PARTITION) < toPosition) {
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(10))) {
                values.add(record.offset() + " " + record.value());
            }
        }
        return values;
    }

    @Test
    void aConsumerFromTheBeginningReadsPastTheGapToTheVeryEnd() throws IOException {
        try (KafkaConsumer<String, String> consumer = consumer()) {
            consumer.seekToBeginning(List.of(PARTITION));
            assertThat(consumer.endOffsets(List.of(PARTITION))).containsEntry(PARTITION, skippedTo);
            assertThat(read(consumer, skippedTo)).containsExactly("0 one");
            appendThree();
            assertThat(read(consumer, skippedTo + 1)).containsExactly(skippedTo + " three");
        }
    }

    @Test
    void aConsumerThatHadReadWhatIsLostMissesNothingThatCame() throws IOException {
        appendThree();
        try (KafkaConsumer<String, String> consumer = consumer()) {
            consumer.seek(PARTITION, 2);
            assertThat(read(consumer, skippedTo + 1)).containsExactly(skippedTo + " three");
        }
    }

    @Test
    @RequiresProgram("kcat")
    void librdkafkaReadsToTheEndAndKnowsIt() throws Exception {
        Process kcat = new ProcessBuilder(
                        "kcat",
                        "-C",
                        "-b",
                        broker.bootstrap(),
                        "-t",
                        "t",
                        "-o",
                        "beginning",
                        "-e",
                        "-q",
                        "-f",
                        "%o %s\n")
                .redirectErrorStream(true)
                .start();
        assertThat(new String(kcat.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("0 one\n");
        assertThat(kcat.waitFor()).isZero();
    }
}
