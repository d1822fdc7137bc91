package dev.sluice.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.RequiresProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Over a pair of virtual interfaces: the copy that scatter-gather saves, in a network that is nobody else's.
@Tag("root")
@RequiresProgram("ip")
@Timeout(180)
class VethComparisonTest {
    @TempDir
    private Path folder;

    @Test
    void everyWayIsMeasuredInEachStateAndTheMachinesNetworkIsLeftAlone() throws Exception {
        byte[] bytes = new byte[(2 << 20) + 3];
        new Random(13).nextBytes(bytes);
        Path file = Files.write(folder.resolve("file"), bytes);
        String before = interfaces();
        String[] during = {before};
        Report report = Comparison.run(
                new Comparison.Request(file, folder, List.of(64 << 10), List.of(), 1, 0, false, new Over.Veth()),
                () -> {},
                () -> {
                    during[0] = interfaces();
                    return false;
                });

        assertThat(report.states()).hasSize(3);
        assertThat(report.rows()).extracting(Row::direction).containsOnly(Direction.FILE_TO_SOCKET);
        for (Row row : report.rows()) {
            if (!row.name().equals("sendfile, kernel TLS")) { // which not every kernel has
                assertThat(row.unavailable()).as(row.name()).isEmpty();
            }
        }
        Row with = row(report, VethSide.GATHER);
        Row without = row(report, VethSide.NONE);
        assertThat(with.cpuCopies().value()).isZero();
        assertThat(without.cpuCopies().value()).isEqualTo(1);
        assertThat(without.cpuCopies().source()).contains("scatter-gather off");
        assertThat(report.setting().get("path")).contains("virtual interface");

        // The comparison's own thread saw the pair, and this one never did.
        assertThat(during[0]).contains("sluice0").isNotEqualTo(before);
        assertThat(interfaces()).isEqualTo(before).doesNotContain("sluice0");
    }

    private static Row row(Report report, String state) {
        return report.rows().stream()
                .filter(row -> row.isOurs()
                        && row.name().equals("sendfile")
                        && row.state().equals(state))
                .findFirst()
                .orElseThrow();
    }

    /// Of the calling thread's network; Java's own list fails where none has an address.
    private static String interfaces() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/thread-self/net/dev"))) {
            return lines.skip(2) // the head
                    .map(line -> line.strip().replaceFirst(":.*", ""))
                    .sorted()
                    .collect(Collectors.joining(" "));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
