package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.RequiresProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Consumer groups as users meet them: Kafka's console consumer, VerifiableConsumer and kafka-consumer-groups, and
/// kcat, against the built command.
@Timeout(value = 6, unit = TimeUnit.MINUTES)
class GroupToolsTest {
    private static final Duration BOUND = Duration.ofMinutes(2);
    private static final int RECORDS = 1_000;
    private static final String CONSOLE = "org.apache.kafka.tools.consumer.ConsoleConsumer";
    private static final String GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
    private static final Path HOME = Path.of(System.getProperty("sluice.home"));

    private static final List<String> NUMBERS =
            IntStream.range(0, RECORDS).mapToObj(Integer::toString).toList();

    @TempDir
    private Path folder;

    private BrokerProcess broker;

    @BeforeEach
    void start() throws Exception {
        broker = BrokerProcess.start(HOME, folder.resolve("data"), List.of(), Map.of());
        Path text = folder.resolve("numbers");
        Files.write(text, NUMBERS);
        Processes.run(
                        BOUND,
                        List.of(
                                HOME.resolve("bin/sluice").toString(),
                                "produce",
                                "numbers",
                                text.toString(),
                                "--bootstrap",
                                broker.bootstrap()))
                .orThrow("sluice produce");
    }

    @AfterEach
    void stop() throws InterruptedException, IOException {
        broker.close();
    }

    private String tool(String main, String... arguments) {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", broker.bootstrap()));
        all.addAll(List.of(arguments));
        return Processes.run(BOUND, Processes.java(main, all)).orThrow(main).output();
    }

    private String groups(String... arguments) {
        return tool(GROUPS, arguments);
    }

    private static List<String> numbers(String output) {
        return output.lines().filter(line -> line.matches("\\d+")).toList();
    }

    /// What kafka-consumer-groups tells of the one partition: where the group is, where the end is, the lag.
    private List<Long> described(String group) {
        Matcher row = Pattern.compile(group + "\\s+numbers\\s+0\\s+(\\d+)\\s+(\\d+)\\s+(\\d+)")
                .matcher(groups("--describe", "--group", group));
        assertThat(row.find()).isTrue();
        return List.of(Long.parseLong(row.group(1)), Long.parseLong(row.group(2)), Long.parseLong(row.group(3)));
    }

    @Test
    void consumersOfBothProtocolsReadAllAndTheirGroupsAreAdministered() {
        for (String protocol : List.of("classic", "consumer")) {
            String read = tool(
                    CONSOLE,
                    "--topic",
                    "numbers",
                    "--group",
                    protocol,
                    "--from-beginning",
                    "--max-messages",
                    Integer.toString(RECORDS),
                    "--timeout-ms",
                    "60000",
                    "--command-property",
                    "group.protocol=" + protocol);
            assertThat(numbers(read)).isEqualTo(NUMBERS);
        }
        assertThat(groups("--list").lines().toList()).contains("classic", "consumer");
        assertThat(described("classic")).containsExactly(1_000L, 1_000L, 0L);
        assertThat(described("consumer")).containsExactly(1_000L, 1_000L, 0L);

        groups("--group", "consumer", "--topic", "numbers", "--reset-offsets", "--to-offset", "400", "--execute");
        assertThat(described("consumer")).containsExactly(400L, 1_000L, 600L);

        groups("--delete", "--group", "consumer", "--group", "classic");
        assertThat(groups("--list")).doesNotContain("consumer", "classic");
    }

    @Test
    void verifiableConsumerReadsAllAndCommits() {
        String told = tool(
                "org.apache.kafka.tools.VerifiableConsumer",
                "--topic",
                "numbers",
                "--group-id",
                "verified",
                "--reset-policy",
                "earliest",
                "--max-messages",
                Integer.toString(RECORDS));
        long consumed = Pattern.compile("\"name\":\"records_consumed\",\"count\":(\\d+)")
                .matcher(told)
                .results()
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
        assertThat(consumed).isEqualTo(RECORDS);
        assertThat(told).contains("\"offset\":1000}],\"success\":true");
        assertThat(described("verified")).containsExactly(1_000L, 1_000L, 0L);
    }

    @Test
    @RequiresProgram("kcat")
    void kcatReadsAllAndCommits() {
        String read = Processes.run(
                        BOUND,
                        List.of(
                                "kcat",
                                "-b",
                                broker.bootstrap(),
                                "-G",
                                "kcat",
                                "-c",
                                Integer.toString(RECORDS),
                                "-q",
                                "-X",
                                "auto.offset.reset=earliest",
                                "numbers"))
                .orThrow("kcat")
                .output();
        assertThat(numbers(read)).isEqualTo(NUMBERS);
        assertThat(described("kcat")).containsExactly(1_000L, 1_000L, 0L);
    }
}
