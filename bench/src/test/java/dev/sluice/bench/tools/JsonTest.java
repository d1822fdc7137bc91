package dev.sluice.bench.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class JsonTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsRead() throws Exception {
        Path file = folder.resolve("results.json");
        Json.write(
                file,
                Map.of(
                        "rows",
                        List.of(Map.of("name", "a \"b\"\n", "touched", true)),
                        "figures",
                        new double[] {1.23456789, 2, Double.NaN},
                        "count",
                        1L << 40));

        Map<?, ?> read = (Map<?, ?>) Json.read(file);

        assertThat(read.get("rows")).isEqualTo(List.of(Map.of("name", "a \"b\"\n", "touched", true)));
        assertThat((List<?>) read.get("figures")).hasToString("[1.2346, 2.0, null]");
        assertThat(read.get("count")).isEqualTo(1L << 40);
    }
}
