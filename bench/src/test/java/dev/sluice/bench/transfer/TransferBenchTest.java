package dev.sluice.bench.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The transfer benchmark in small: right bytes, right counts, no times.
@Timeout(180)
class TransferBenchTest {
    private static final int CHUNK_BYTES = 64 << 10;

    /// Not a multiple of the chunk, nor of the page.
    private static final long FILE_BYTES = (1 << 20) + 12_345;

    @TempDir
    Path folder;

    private Programs programs() throws IOException, InterruptedException {
        assumeTrue(Tools.isInstalled("gcc"), "gcc is not installed");
        return Programs.compile(Path.of("src", "main", "c"), folder);
    }

    private Sample sample() throws IOException {
        return Sample.at(folder.resolve("data"), FILE_BYTES);
    }

    @Test
    void everyWayThatIsOfferedDeliversTheFile() throws Exception {
        try (Bench bench = new Bench(programs(), sample())) {
            Comparison.Result result = new Comparison(bench, "").measure(CHUNK_BYTES, 1, 2);

            assertThat(result.unavailable())
                    .as("only a native transport may be missing here")
                    .doesNotContainKeys(allBut(Subject.NETTY_EPOLL, Subject.NETTY_IO_URING));
            for (Subject subject : Subject.values()) {
                if (!result.unavailable().containsKey(subject)) {
                    assertThat(result.figures(subject))
                            .as(subject.label)
                            .hasSize(2)
                            .allSatisfy(run -> {
                                assertThat(run.sent().bytes()).isEqualTo(FILE_BYTES);
                                assertThat(run.sent().wallNs()).isPositive();
                            });
                }
            }
        }
    }

    private static Subject[] allBut(Subject... left) {
        return List.of(Subject.values()).stream()
                .filter(subject -> !List.of(left).contains(subject))
                .toArray(Subject[]::new);
    }

    /// The control: with the check taken away this passes unnoticed.
    @Test
    void wrongBytesAreNoticed() throws Exception {
        Programs programs = programs();
        Sample sample = sample();
        byte[] bytes = Files.readAllBytes(sample.path());
        bytes[bytes.length / 2] ^= 1;
        Files.write(sample.path(), bytes);

        try (Bench bench = new Bench(programs, sample)) {
            assertThatThrownBy(() -> bench.check(Subject.C_SENDFILE, CHUNK_BYTES))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("are not the file's");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Subject.class,
            names = {"SLUICE_SENDFILE", "SLUICE_MMAP", "SLUICE_SPLICE", "SLUICE_READWRITE"})
    void theAccountCountsTheCallsThatTheKernelSees(Subject subject) throws Exception {
        assumeTrue(Tools.isInstalled("strace"), "strace is not installed");
        Programs programs = programs();

        try (Receiver discarding = new Receiver(programs.receiver(), false)) {
            List<CallCheck.Line> lines = new CallCheck(programs, sample()).of(subject, CHUNK_BYTES, discarding);

            assertThat(lines).allMatch(CallCheck.Line::agrees);
            assertThat(lines)
                    .as("each method has a call for each chunk")
                    .anyMatch(line -> line.counted() >= FILE_BYTES / CHUNK_BYTES + 1);
        }
    }
}
