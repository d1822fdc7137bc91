package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.xml.sax.InputSource;

/// What the command draws: the way that the literature knows, with the figures of a run that it made and checked
/// itself.
@Timeout(180)
class ExplainCommandTest {
    private static final int LENGTH_BYTES = 1 << 20;

    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void writeFile() throws IOException {
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(5).nextBytes(bytes);
        file = Files.write(folder.resolve("a<b>&c"), bytes);
    }

    @ParameterizedTest
    @CsvSource({
        "read+write, 'page cache → our buffer: the processor copies 1 MiB', 2",
        "mmap+write, 'our address space → socket send queue: the processor copies 1 MiB', 1",
        "sendfile, 'page cache → pipe: a reference', 0",
        "splice, 'pipe → socket send queue: a reference', 0",
        "recv+write, 'socket receive queue → our buffer: the processor copies 1 MiB', 2",
        "splice-receive, 'socket receive queue → pipe: a reference', 1",
        "copy, 'our buffer → sink''s page cache: the processor copies 1 MiB', 2",
        "copy_file_range, 'page cache → sink''s page cache: the processor copies 1 MiB', 1"
    })
    void drawsTheWayOfAByteOnTerminalAndAsSvg(String method, String move, int cpuCopies) throws Exception {
        Path svg = folder.resolve("out.svg");
        SluiceRun run = SluiceRun.of("explain", method, file.toString(), "--svg", svg.toString());

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.out()).startsWith(method + ": ").contains(move, "user space", "kernel", "devices");
        assertThat(run.out().lines()).anyMatch(line -> line.matches(".*CPU copies +~" + cpuCopies + " .*"));
        assertThat(run.out().lines())
                .allMatch(line -> line.length() < 250)
                .anyMatch(line -> line.startsWith("kernel   └ "));

        String picture = Files.readString(svg);
        assertThat(picture).contains("1 MiB", "a&lt;b&gt;&amp;c").doesNotContain("<script", "http://www.w3.org/1999");
        DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(picture)));
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).containsExactlyInAnyOrder(file, svg);
        }
    }

    @Test
    void aPlainTransferIsOneCallAndTwoSwitches() {
        SluiceRun run = SluiceRun.of("explain", "sendfile", file.toString());
        assertThat(run.out().lines()).anyMatch(line -> line.matches("system calls +1 .*"));
        assertThat(run.out().lines()).anyMatch(line -> line.matches(".*mode switches +~2 .*"));
    }

    @Test
    void whatRepeatsStandsThereOnce() {
        SluiceRun run = SluiceRun.of("explain", "read+write", file.toString());
        assertThat(run.out()).contains("pread64 256 KiB ┘ └ sendto 256 KiB ┘").containsPattern("× 4 ─");
    }

    @Test
    void whatCantBeExplainedIsToldInOneLine() {
        assertFails(ExitCode.USAGE, "sendfile, splice", "explain", "teleport", file.toString());
        assertFails(
                ExitCode.FAILURE,
                "no such file",
                "explain",
                "sendfile",
                folder.resolve("none").toString());
    }

    private static void assertFails(int code, String says, String... arguments) {
        SluiceRun run = SluiceRun.of(arguments);
        assertThat(run.exitCode()).isEqualTo(code);
        assertThat(run.err()).contains(says);
        assertThat(run.err().lines()).hasSize(1);
    }
}
