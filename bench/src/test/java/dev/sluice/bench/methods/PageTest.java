package dev.sluice.bench.methods;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.bench.methods.Measured.Row;
import dev.sluice.bench.methods.Measured.Spread;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a run of compare says gets into the tables that ask for it, and nothing else of the page is touched.
@Timeout(180)
class PageTest {
    private static Row row(String name, int pieceBytes, double cpu) {
        return new Row(
                "FILE_TO_SOCKET",
                name,
                pieceBytes,
                "",
                false,
                false,
                Map.of(
                        "cpuSecondsPerGib", new Spread(cpu, cpu / 2, cpu * 2),
                        "gigabytesPerSecond", new Spread(1.5, 1, 2),
                        "callsPerMib", new Spread(32, 32, 32),
                        "modeSwitchesPerMib", new Spread(64, 64, 64),
                        "faultsPerMib", new Spread(0.25, 0, 1)),
                new double[] {2, 1});
    }

    private static final Measured MEASURED = new Measured(
            Map.of("kernel", "Linux 9", "Java", "JVM", "file", "/secret/place/big, 100 bytes, on ext4", "runs", "3, x"),
            List.of(
                    row("read+write", 4 << 10, 0.5),
                    row("read+write", 64 << 10, 0.25),
                    new Row("FILE_TO_SOCKET", "splice", 64 << 10, "", false, false, Map.of(), new double[0])));

    @Test
    void aTableIsMadeAnewAndTheRestStays() {
        String page =
                "before\n<!-- measured sizes FILE_TO_SOCKET: read+write | splice -->\nold\n<!-- /measured -->\nafter\n";
        String filled = Page.filled(page, false, MEASURED, "2026-01-02");

        assertThat(filled).isEqualTo("""
                before
                <!-- measured sizes FILE_TO_SOCKET: read+write | splice -->

                | method | CPU s/GiB, 4 KiB | CPU s/GiB, 64 KiB | GB/s | calls/MiB | mode switches/MiB | copies CPU + DMA | faults/MiB |
                | --- | --- | --- | --- | --- | --- | --- | --- |
                | `read+write` | **0.500** (0.25–1.00) | **0.250** (0.13–0.50) | 1.50 | 32 | 64 | 2.0 + 1.0 | 0.25 |
                | `splice` | not on this machine |  |  |  |  |  |  |

                <!-- /measured -->
                after
                """);
        assertThat(Page.filled(filled, false, MEASURED, "2026-01-02")).isEqualTo(filled);
        assertThat(Page.filled(page, true, MEASURED, "2026-01-02")).contains("| 方法 | CPU 秒/GiB, 4 KiB |", "本机没有");
    }

    @Test
    void theSettingNamesNoPlaceOfTheMachine() {
        String page = "<!-- measured setting -->\n<!-- /measured -->\n";
        assertThat(Page.filled(page, false, MEASURED, "2026-01-02"))
                .contains("Measured 2026-01-02: Linux 9; JVM; 100 bytes, on ext4; loopback; 3 runs")
                .doesNotContain("secret");
    }

    @Test
    void aWayThatNobodyMeasuresIsAnErrorAndNotAnEmptyLine() {
        String page = "<!-- measured sizes FILE_TO_SOCKET: carrier pigeon -->\n<!-- /measured -->\n";
        assertThatThrownBy(() -> Page.filled(page, false, MEASURED, "2026-01-02"))
                .hasMessageContaining("carrier pigeon");
    }

    @Test
    void whatCompareWritesIsRead(@TempDir Path folder) throws Exception {
        Path json = Files.writeString(folder.resolve("out.json"), """
                {"version": 1, "setting": {"kernel": "Linux 9"}, "plans": {}, "rows": [
                 {"direction": "FILE_TO_SOCKET", "by": "JDK", "method": "streams", "pieceBytes": 4096, "state": "", "cold": true,
                  "swept": false, "planned": false, "runs": 1, "bytesPerRun": 1, "remark": "",
                  "callsPerMib": {"median": 2.5, "least": 1, "most": 3, "mark": "derived", "source": "x"},
                  "cpuCopiesPerByte": {"value": 4, "mark": "derived", "source": "x"},
                  "dmaCopiesPerByte": {"value": 0.5, "mark": "derived", "source": "x"}}]}
                """);
        Measured read = Measured.read(json);
        assertThat(read.setting()).containsEntry("kernel", "Linux 9");
        Row row = read.rows().getFirst();
        assertThat(row.name()).isEqualTo("JDK streams");
        assertThat(row.cold()).isTrue();
        assertThat(row.figure("callsPerMib")).isEqualTo(new Spread(2.5, 1, 3));
        assertThat(row.copies()).containsExactly(4, 0.5);
    }
}
