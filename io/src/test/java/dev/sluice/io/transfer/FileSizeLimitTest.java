package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Errno;
import dev.sluice.testbase.Commands;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Really short writes: a process under RLIMIT_FSIZE, whose writes are cut at the limit and then answer EFBIG.
class FileSizeLimitTest {
    private static final long LIMIT = 1000 * 1024;

    @TempDir
    Path folder;

    @Test
    void everyMethodFillsTheFileToTheLimitAndSaysSo() throws Exception {
        Rig.write(folder.resolve("source"), 0, 3_000_000);
        List<String> command =
                new ArrayList<>(List.of("bash", "-c", "ulimit -f " + LIMIT / 1024 + "; exec \"$@\"", "bash"));
        command.addAll(Commands.java(List.of("-Xmx64m"), CountedMain.class, folder.toString(), "limited"));
        List<String> said = Commands.run(command).lines().toList();
        assertThat(said).hasSize(5);
        for (String line : said) {
            assertThat(line).endsWith(" OUT_OF_SPACE " + Errno.EFBIG + " " + LIMIT);
            Path sink = folder.resolve("sink-" + line.substring(0, line.indexOf(' ')));
            assertThat(Rig.verified(sink, 0, LIMIT + 1)).as(line).isEqualTo(LIMIT);
        }
    }
}
