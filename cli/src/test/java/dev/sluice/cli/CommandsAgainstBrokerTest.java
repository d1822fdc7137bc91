package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Pipes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The client commands against a broker in this JVM, over its port.
class CommandsAgainstBrokerTest {
    static {
        TestLogs.start();
    }

    @TempDir
    static Path data;

    @TempDir
    Path folder;

    private static BrokerCommand.RunningBroker broker;

    /// One for each test, so that none sees another's records.
    private String topic;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = SluiceBroker.start(
                Map.of("log.dirs", data.resolve("data").toString(), "listeners", "PLAINTEXT://127.0.0.1:0"));
    }

    @AfterAll
    static void stopBroker() throws IOException {
        broker.close();
    }

    @BeforeEach
    void nameTopic(TestInfo test) {
        topic = test.getTestMethod().orElseThrow().getName();
    }

    @Test
    void aTextComesBackByteForByte() throws IOException {
        Path file = folder.resolve("text");
        Files.write(file, text(8 << 20));

        SluiceRun produced = run("produce", topic, file.toString());
        assertThat(produced.exitCode()).as(produced.err()).isZero();
        assertThat(produced.out()).isEmpty();

        SluiceRun consumed = run("consume", topic, "--to-end");
        assertThat(consumed.exitCode()).as(consumed.err()).isZero();
        assertThat(consumed.err()).isEmpty();
        assertThat(consumed.records()).isEqualTo(Files.readAllBytes(file));
    }

    @Test
    void aTextReadInPlaceIsTheSame() throws IOException {
        Path file = folder.resolve("text");
        Files.write(file, text(3 << 20));
        run("produce", topic, file.toString());
        run("produce", topic, file.toString(), "--property", "compression.type=zstd");

        SluiceRun local = run("consume", topic, "--to-end", "--local", "--print", "offset,value");

        assertThat(local.exitCode()).as(local.err()).isZero();
        assertThat(local.records())
                .isEqualTo(run("consume", topic, "--to-end", "--print", "offset,value")
                        .records());
        assertThat(new String(
                        run("consume", topic, "--to-end", "--local", "--from", "-2", "--print", "partition,offset")
                                .records(),
                        StandardCharsets.UTF_8))
                .hasLineCount(2)
                .startsWith("0\t");
        assertThat(run("consume", topic, "--local", "--max", "5", "--print", "offset")
                        .records())
                .asString()
                .isEqualTo("0\n1\n2\n3\n4\n");
    }

    @Test
    void theSummaryCountsWhatWasAcknowledged() {
        SluiceRun run = runWithInput("one\n\nthree", "produce", topic);
        assertThat(run.err()).startsWith("sluice: 3 records, 8 B acknowledged for " + topic + " in ");
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void emptyLinesAreEmptyRecordsAndTheLastLineNeedsNoNewline() {
        runWithInput("one\n\nthree", "produce", topic);
        assertThat(consumed("--print", "offset,value")).isEqualTo("0\tone\n1\t\n2\tthree\n");
    }

    @Test
    void noInputIsNoRecordAndNoFailure() {
        assertThat(runWithInput("", "produce", topic).exitCode()).isZero();
        assertThat(consumed()).isEmpty();
    }

    @Test
    void otherDelimitersCutAndJoinAsAsked() {
        runWithInput("a\0b\nc\0", "produce", topic, "--delimiter", "\\0");
        assertThat(consumed("--delimiter", ";\\x7c")).isEqualTo("a;|b\nc;|");
    }

    @Test
    void aWholeFileIsOneRecord() throws IOException {
        byte[] first = new byte[300_000];
        new Random(5).nextBytes(first);
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        Files.write(one, first);
        Files.writeString(two, "a\nb\n");

        assertThat(run("produce", topic, "--whole", one.toString(), two.toString())
                        .exitCode())
                .isZero();

        assertThat(run("consume", topic, "--to-end", "--delimiter", "", "--max", "1")
                        .records())
                .isEqualTo(first);
        assertThat(consumed("--from", "1", "--delimiter", "|")).isEqualTo("a\nb\n|");
    }

    @Test
    void keysAreCutOffAtTheirSeparator() {
        runWithInput("k1::v1\n::v2\nk3::\nk4::a::b\n", "produce", topic, "--key-separator", "::");
        assertThat(consumed("--print", "key,value", "--separator", "=")).isEqualTo("k1=v1\n=v2\nk3=\nk4=a::b\n");
    }

    @Test
    void aRecordWithoutItsKeyFailsTheCommandWhichTellsHowManyWereAcknowledged() {
        SluiceRun run = runWithInput("k:v\nk:v\nnone\nk:v\n", "produce", topic, "--key-separator", ":");
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("standard input: record 3 has no key separator", "(2 records, 4 B acknowledged");
        assertThat(consumed()).isEqualTo("v\nv\n");
    }

    @Test
    void keyHeadersAndPartitionGoOnEveryRecord() {
        assertThat(run("topic", "create", topic, "--partitions", "3").exitCode())
                .isZero();
        runWithInput("x\ny\n", "produce", topic, "--key", "k", "--header", "a=1", "--header", "a=", "--partition", "2");
        assertThat(consumed("--print", "partition,offset,key,headers,value"))
                .isEqualTo("2\t0\tk\ta=1,a=\tx\n2\t1\tk\ta=1,a=\ty\n");
    }

    @Test
    void allPartitionsAreReadUnlessSomeAreNamed() {
        run("topic", "create", topic, "--partitions", "3");
        for (int partition = 0; partition < 3; partition++) {
            runWithInput("of " + partition + "\n", "produce", topic, "--partition", "" + partition);
        }
        assertThat(consumed().lines()).containsExactlyInAnyOrder("of 0", "of 1", "of 2");
        assertThat(consumed("--partition", "2", "--partition", "0").lines()).containsExactlyInAnyOrder("of 0", "of 2");
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "gzip", "snappy", "lz4", "zstd"})
    void everyCompressionComesBackTheSame(String codec) throws IOException {
        String name = topic + "-" + codec;
        byte[] text = text(200_000);
        assertThat(SluiceRun.with(
                                new ByteArrayInputStream(text), environment(), "produce", name, "--compression", codec)
                        .exitCode())
                .isZero();
        assertThat(run("consume", name, "--to-end").records()).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "all"})
    void everyKindOfAcknowledgementStoresTheRecords(String acks) {
        String name = topic + "-" + acks;
        SluiceRun run = runWithInput("a\nb\n", "produce", name, "--acks", acks);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains(acks.equals("0") ? "2 records, 2 B sent to" : "2 records, 2 B acknowledged for");
        // Nobody answers a record with acks=0: the broker has it when it has read it.
        org.awaitility.Awaitility.await()
                .untilAsserted(() -> assertThat(
                                new String(run("consume", name, "--to-end").records(), StandardCharsets.UTF_8))
                        .isEqualTo("a\nb\n"));
    }

    @Test
    void readingBeginsWhereAsked() {
        runWithInput(lines(0, 20), "produce", topic);
        assertThat(consumed("--from", "beginning")).isEqualTo(lines(0, 20));
        assertThat(consumed("--from", "end")).isEmpty();
        assertThat(consumed("--from", "7")).isEqualTo(lines(7, 20));
        assertThat(consumed("--from", "20")).isEmpty();
        assertThat(consumed("--from", "-3")).isEqualTo(lines(17, 20));
        assertThat(consumed("--from", "-100")).isEqualTo(lines(0, 20));
        assertThat(consumed("--from", "5", "--max", "2")).isEqualTo(lines(5, 7));
        assertThat(consumed("--max", "0")).isEmpty();
    }

    @Test
    void readingBeginsAtTheFirstRecordOfATime() {
        runWithInput(lines(0, 5), "produce", topic);
        runWithInput(lines(5, 9), "produce", topic);
        List<Long> timestamps =
                consumed("--print", "timestamp").lines().map(Long::parseLong).toList();
        long wanted = timestamps.get(6);
        int first = IntStream.range(0, timestamps.size())
                .filter(i -> timestamps.get(i) >= wanted)
                .findFirst()
                .orElseThrow();

        assertThat(consumed("--from", "@" + wanted)).isEqualTo(lines(first, 9));
        assertThat(consumed("--from", java.time.Instant.ofEpochMilli(wanted).toString()))
                .isEqualTo(lines(first, 9));
        assertThat(consumed("--from", "2001-01-01")).isEqualTo(lines(0, 9));
        assertThat(consumed("--from", "@" + (timestamps.getLast() + 1))).isEmpty();
    }

    @Test
    void anOffsetThatIsNotThereIsNamedWithThoseThatAre() {
        runWithInput(lines(0, 5), "produce", topic);
        SluiceRun run = run("consume", topic, "--from", "6");
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("has no offset 6: it begins at 0 and ends before 5");
    }

    @Test
    void withoutToEndReadingGoesOnUntilStopped() throws Exception {
        runWithInput("before\n", "produce", topic);
        Pipes.Ends[] pipe = new Pipes.Ends[1];
        Signals.StopRequest[] stop = new Signals.StopRequest[1];
        int[] exitCode = new int[1];
        var kernel = new dev.sluice.io.linux.Kernel();
        pipe[0] = kernel.pipes().open(true, kernel.account());
        Thread consumer = Thread.ofPlatform()
                .start(() -> exitCode[0] = Sluice.run(
                        surroundings(_ -> pipe[0].writeEnd(), request -> stop[0] = request), "consume", topic));

        try (InputStream output = stream(pipe[0].readEnd().number())) {
            assertThat(new String(output.readNBytes(7), StandardCharsets.UTF_8)).isEqualTo("before\n");
            runWithInput("after\n", "produce", topic);
            assertThat(new String(output.readNBytes(6), StandardCharsets.UTF_8)).isEqualTo("after\n");
            assertThat(stop[0].stop(130)).isTrue();
            consumer.join();
        }
        assertThat(exitCode[0]).isEqualTo(130);
    }

    @Test
    void aReaderThatHadEnoughEndsTheCommandQuietly() throws Exception {
        runWithInput(lines(0, 5), "produce", topic);
        int exitCode = Sluice.run(
                surroundings(
                        kernel -> {
                            try {
                                Pipes.Ends pipe = kernel.pipes().open(true, kernel.account());
                                pipe.readEnd().close();
                                return pipe.writeEnd();
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        },
                        _ -> {}),
                "consume",
                topic);
        assertThat(exitCode).isZero();
    }

    @Test
    void aRecordLargerThanTheTopicTakesFailsWithTheReason() {
        run("topic", "create", topic, "--config", "max.message.bytes=1000");
        SluiceRun run = runWithInput("small\n" + "x".repeat(5_000) + "\n", "produce", topic);
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains("max.message.bytes", "acknowledged");
        assertThat(run.err().lines()).hasSize(1);
    }

    @Test
    void topicsAreCreatedListedDescribedAndDeleted() {
        SluiceRun created = run("topic", "create", topic, "--partitions", "2", "--config", "max.message.bytes=2000000");
        assertThat(created.exitCode()).as(created.err()).isZero();
        assertThat(created.out()).isEqualTo("created topic " + topic + " with 2 partitions\n");

        SluiceRun again = run("topic", "create", topic);
        assertThat(again.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(again.err()).isEqualTo("sluice: create topic " + topic + ": the topic exists already\n");
        assertThat(run("topic", "create", topic, "--if-not-exists").exitCode()).isZero();

        assertThat(run("topic", "list").out().lines()).contains(topic);

        runWithInput("a\nb\n", "produce", topic, "--partition", "1");
        SluiceRun described = run("topic", "describe", topic);
        assertThat(described.exitCode()).as(described.err()).isZero();
        assertThat(described.out())
                .contains("topic " + topic + ": 2 partitions")
                .containsPattern("(?m)^ +0 +\\d+ +1 +0 +0$")
                .containsPattern("(?m)^ +1 +\\d+ +1 +0 +2$");

        assertThat(run("topic", "delete", topic).out()).isEqualTo("deleted topic " + topic + "\n");
        assertThat(run("topic", "list").out().lines()).doesNotContain(topic);
        assertThat(run("topic", "delete", topic, "--if-exists").exitCode()).isZero();
    }

    @Test
    void aTopicsSettingsAndPartitionsAreChanged() {
        run("topic", "create", topic, "--config", "max.message.bytes=2000000");

        SluiceRun altered = run(
                "topic",
                "alter",
                topic,
                "--config",
                "retention.ms=60000",
                "--delete-config",
                "max.message.bytes",
                "--partitions",
                "3");

        assertThat(altered.exitCode()).as(altered.err()).isZero();
        assertThat(altered.out()).isEqualTo("changed topic " + topic + "\n");
        assertThat(run("topic", "describe", topic).out())
                .contains("3 partitions", "config retention.ms=60000")
                .doesNotContain("max.message.bytes");
        SluiceRun refused = run("topic", "alter", topic, "--config", "retention.mss=1");
        assertThat(refused.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(refused.err()).contains("the nearest is retention.ms");
        assertThat(run("topic", "alter", topic).exitCode()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aTopicThatIsNotThereIsToldByEveryCommandThatNeedsIt() {
        for (String[] command : new String[][] {
            {"topic", "describe", topic},
            {"topic", "alter", topic, "--partitions", "2"},
            {"topic", "delete", topic},
            {"consume", topic},
            {"status", topic}
        }) {
            SluiceRun run = run(command);
            assertThat(run.exitCode()).as(List.of(command).toString()).isEqualTo(ExitCode.FAILURE);
            assertThat(run.err()).as(List.of(command).toString()).contains("sluice topic list shows those there are");
            assertThat(run.err().lines()).hasSize(1);
        }
    }

    @Test
    void aPartitionThatIsNotThereIsToldWithTheirNumber() {
        run("topic", "create", topic, "--partitions", "2");
        assertThat(runWithInput("x\n", "produce", topic, "--partition", "2").err())
                .contains("has 2 partitions, counted from 0; there is no partition 2");
        assertThat(run("consume", topic, "--partition", "2").err())
                .contains("has 2 partitions, counted from 0; there is no partition 2");
    }

    @Test
    void theStatusCountsTheBytesThatWereStored() throws Exception {
        byte[] text = text(3 << 20);
        SluiceRun.with(new ByteArrayInputStream(text), environment(), "produce", topic);

        StatusReport report = StatusReport.parse(run("status", topic, "--json").out());

        assertThat(report.partitions()).hasSize(1);
        StatusReport.Partition partition = report.partitions().getFirst();
        assertThat(partition.topic()).isEqualTo(topic);
        assertThat(partition.bytes()).isGreaterThan(text.length);
        assertThat(report.segments()).hasSize(1);
        StatusReport.Item segment = report.segments().getFirst();
        assertThat(bytes(segment, "pwrite") - bytes(segment, "zeros"))
                .as("every stored byte was written once")
                .isEqualTo(partition.bytes());
    }

    private static long bytes(StatusReport.Item segment, String calls) {
        return segment.counts().stream()
                .filter(count -> count.call().startsWith(calls))
                .mapToLong(StatusReport.Count::bytes)
                .sum();
    }

    @Test
    void theStatusCountsTheBytesThatWereSent() throws Exception {
        SluiceRun.with(new ByteArrayInputStream(text(3 << 20)), environment(), "produce", topic);
        long stored = StatusReport.parse(run("status", topic, "--json").out())
                .partitions()
                .getFirst()
                .bytes();
        long before = sent();
        run("consume", topic, "--to-end");
        assertThat(sent() - before).isGreaterThanOrEqualTo(stored);
    }

    @Test
    void theStatusIsATableForPeople() {
        runWithInput("x\n", "produce", topic);
        SluiceRun run = run("status", topic);
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("Connections, since the start", "Open connections", "Segments, since the start", topic)
                .contains("data in " + data.resolve("data"));
    }

    @Test
    void aPortInUseIsToldInOneLine() {
        String address = address();
        SluiceRun run = run(
                "broker", "--listen", address, "--data", folder.resolve("other").toString());
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).contains(address, "in use");
    }

    @Test
    void aFolderOfAnotherBrokerIsToldInOneLine() {
        String folderInUse = data.resolve("data").toString();
        SluiceRun run = run("broker", "--listen", "127.0.0.1:0", "--data", folderInUse);
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err().lines()).hasSize(1);
        assertThat(run.err()).contains(folderInUse);
    }

    @Test
    void propertiesReachTheClient() {
        SluiceRun run = runWithInput("x\n", "produce", topic, "--property", "acks=nonsense");
        assertThat(run.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).contains("nonsense");
    }

    private static long sent() throws CommandFailure {
        return StatusReport.parse(run("status", "--json").out()).connectionTotal().stream()
                .filter(count -> count.call().startsWith("send"))
                .mapToLong(StatusReport.Count::bytes)
                .sum();
    }

    private String consumed(String... options) {
        List<String> arguments = new ArrayList<>(List.of("consume", topic, "--to-end"));
        arguments.addAll(List.of(options));
        SluiceRun run = run(arguments.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        return new String(run.records(), StandardCharsets.UTF_8);
    }

    private static SluiceRun run(String... arguments) {
        return SluiceRun.with(InputStream.nullInputStream(), environment(), arguments);
    }

    private static SluiceRun runWithInput(String input, String... arguments) {
        return SluiceRun.with(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), environment(), arguments);
    }

    private static Map<String, String> environment() {
        return Map.of("SLUICE_BOOTSTRAP", address());
    }

    private static String address() {
        return "127.0.0.1:" + broker.addresses().getFirst().getPort();
    }

    private static Surroundings surroundings(
            java.util.function.Function<dev.sluice.io.linux.Kernel, Descriptor> output, Signals signals) {
        PrintStream nowhere = new PrintStream(java.io.OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
        return new Surroundings(
                InputStream.nullInputStream(), false, nowhere, System.err, false, output, environment(), signals);
    }

    private static InputStream stream(int descriptor) throws IOException {
        return Files.newInputStream(Path.of("/proc/self/fd/" + descriptor));
    }

    private static String lines(int from, int to) {
        StringBuilder text = new StringBuilder();
        for (int i = from; i < to; i++) {
            text.append("line ").append(i).append('\n');
        }
        return text.toString();
    }

    /// Lines of every length up to 300 bytes, of any bytes but the newline, and some empty ones.
    private static byte[] text(int bytes) {
        Random random = new Random(bytes);
        byte[] text = new byte[bytes];
        random.nextBytes(text);
        for (int at = 0; at < text.length; at++) {
            if (text[at] == '\n') {
                text[at] = 0;
            }
        }
        for (int at = 0; at < text.length; at += random.nextInt(300)) {
            text[at] = '\n';
        }
        text[text.length - 1] = '\n';
        return text;
    }
}
