package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The command around a comparison: what it prints, what it writes, what it refuses.
@Timeout(180)
class CompareCommandTest {
    @TempDir
    private Path folder;

    @Test
    void printsTheTablesAndWritesJsonAndOneHtmlFile() throws Exception {
        Path file = Files.write(folder.resolve("<file>"), new byte[100_000]);
        Path json = folder.resolve("out.json");
        Path html = folder.resolve("out.html");
        SluiceRun run = SluiceRun.of(
                "compare",
                file.toString(),
                "--sizes",
                "64K",
                "--runs",
                "1",
                "--seconds",
                "1",
                "--json",
                json.toString(),
                "--html",
                html.toString());

        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
        assertThat(run.out()).contains("path:", "kernel:", "memory:", "loopback", "file → socket", "socket → file");
        assertThat(run.out().lines()).anyMatch(line -> line.matches("\\* sendfile +64K .*"));
        assertThat(run.out().lines()).anyMatch(line -> line.matches(" {2}JDK FileChannel.transferTo +64K .*~.*"));

        Map<String, Object> root = Json.object(Json.parse(Files.readString(json)));
        List<Object> rows = Json.array(root.get("rows"));
        assertThat(rows).hasSizeGreaterThan(25).allSatisfy(row -> {
            Map<String, Object> fields = Json.object(row);
            assertThat(fields).containsKeys("direction", "by", "method");
            assertThat(fields.containsKey("unavailable")).isNotEqualTo(fields.containsKey("cpuSecondsPerGib"));
        });

        String page = Files.readString(html);
        assertThat(page).contains("<svg", "&lt;file&gt;", "sendfile").doesNotContain("<file>", "<script", "http");
        assertThat(page.split("<svg", -1)).hasSize(1 + 2 * 5);
    }

    @Test
    void whatCantBeComparedIsToldInOneLine() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty"));
        Path file = Files.write(folder.resolve("file"), "x".getBytes(StandardCharsets.UTF_8));
        assertFails("no such file", "compare", folder.resolve("missing").toString());
        assertFails("not a regular file", "compare", folder.toString());
        assertFails("is empty", "compare", empty.toString());
        assertFails(
                "--dir",
                "compare",
                file.toString(),
                "--dir",
                folder.resolve("none").toString());
        assertFails(
                "--json",
                "compare",
                file.toString(),
                "--json",
                folder.resolve("none/out").toString());
    }

    private static void assertFails(String says, String... arguments) {
        SluiceRun run = SluiceRun.of(arguments);
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains(says);
        assertThat(run.err().lines()).hasSize(1);
    }
}
