package dev.sluice.comparenetty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.compare.Comparison;
import dev.sluice.cli.compare.Over;
import dev.sluice.cli.compare.Report;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Found on the class path, they are measured like all others, and what they deliver is checked byte by byte.
@Timeout(180)
class NettyWaysTest {
    @TempDir
    private Path folder;

    @Test
    void fileRegionsOfBothTransportsAreMeasuredOrSayWhyNot() throws Exception {
        byte[] bytes = new byte[(2 << 20) + 17];
        new Random(17).nextBytes(bytes);
        Path file = Files.write(folder.resolve("file"), bytes);
        Report report = Comparison.run(
                new Comparison.Request(file, folder, List.of(64 << 10), List.of(), 1, 0, false, new Over.Loopback()),
                () -> {},
                () -> false);
        assertThat(report.rows().stream().filter(row -> row.family().equals("Netty")))
                .hasSize(2)
                .allSatisfy(row -> {
                    if (row.unavailable().isEmpty()) {
                        assertThat(row.runs()).isEqualTo(1);
                        assertThat(row.cpuCopies().value()).isZero();
                    } else {
                        assertThat(row.unavailable().get()).isNotBlank();
                    }
                })
                .anyMatch(row -> row.runs() == 1);
    }
}
