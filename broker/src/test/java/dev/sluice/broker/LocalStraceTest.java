package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.log.local.LocalLog;
import dev.sluice.log.local.LocalReader;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import dev.sluice.testkit.Batches;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What the kernel was asked by the thread of a local reader that is behind: a look for each 8 MiB, and none for a
/// batch.
@Tag("strace")
@RequiresProgram("strace")
@Timeout(180)
class LocalStraceTest {
    private static final int BATCHES = 300;
    private static final int BATCH_BYTES = 60_000;

    @TempDir
    Path folder;

    @Test
    void noCallIsMadeForABatch() throws Exception {
        try (TestBroker broker = TestBroker.start(folder.resolve("data"));
                TestClient client = broker.client()) {
            TopicRef topic = client.create("t", 1);
            byte[] batch = Batches.of("x".repeat(BATCH_BYTES / 2), "y".repeat(BATCH_BYTES / 2))
                    .bytes();
            for (int i = 0; i < BATCHES; i++) {
                client.append(topic, 0, batch);
            }
            Path output = folder.resolve("output");
            List<String> command = new ArrayList<>(
                    List.of("strace", "-ff", "-o", folder.resolve("trace").toString()));
            command.addAll(Commands.java(
                    List.of("-Xmx64m"),
                    LocalStraceTest.class,
                    broker.broker().localSocket().orElseThrow().toString(),
                    Integer.toString(2 * BATCHES)));
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            assertThat(process.waitFor()).as(Files.readString(output)).isZero();
        }
        List<String> calls = callsBetweenMarks();
        // A thread of a JVM takes locks, and may be stopped while others collect garbage.
        calls.removeIf(call -> call.startsWith("futex(") || call.startsWith("sched_yield("));
        int windows = BATCHES * BATCH_BYTES / (8 << 20);
        assertThat(calls.stream().filter(call -> call.startsWith("cachestat(") || call.contains("0x1c3")))
                .hasSizeBetween(windows - 1, windows + 2);
        assertThat(calls).as("calls for %d batches: %s", BATCHES, calls).hasSizeLessThan(BATCHES / 10);
    }

    private List<String> callsBetweenMarks() throws Exception {
        List<Path> traces;
        try (Stream<Path> files = Files.list(folder)) {
            traces = files.filter(file -> file.getFileName().toString().startsWith("trace."))
                    .toList();
        }
        for (Path trace : traces) {
            List<String> calls = null;
            for (String line : Files.readAllLines(trace)) {
                if (line.contains("/mark-begin")) {
                    calls = new ArrayList<>();
                } else if (line.contains("/mark-end") && calls != null) {
                    return calls;
                } else if (calls != null) {
                    calls.add(line);
                }
            }
        }
        throw new AssertionError("no thread made both marks: " + traces);
    }

    /// Reads so many records, with marks in its trace around all but the first.
    public static void main(String[] arguments) throws Exception {
        int records = Integer.parseInt(arguments[1]);
        try (LocalLog log = LocalLog.connect(Path.of(arguments[0]));
                LocalReader reader = log.open("t", 0, 0)) {
            boolean hasFirst = reader.next();
            boolean begun = Files.exists(Path.of("/mark-begin"));
            int seen = hasFirst ? 1 : 0;
            long bytes = 0;
            while (seen < records && reader.next()) {
                bytes += reader.record().value().byteSize();
                seen++;
            }
            boolean ended = Files.exists(Path.of("/mark-end"));
            if (seen != records || bytes == 0 || begun || ended) {
                System.out.println("saw " + seen);
                System.exit(1);
            }
        }
    }
}
