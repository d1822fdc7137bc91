package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtest.MethodsCampaign.Step;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What docs/METHODS.md shows under its commands is what they print. `bin/campaign methods` types all of them in a
/// fresh clone; here those that take a second, in this tree.
@Timeout(180)
class MethodsCampaignTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    @Test
    void theQuickCommandsPrintWhatThePageShows() throws Exception {
        List<Step> steps = MethodsCampaign.steps(ROOT.resolve("docs/METHODS.md"));
        assertThat(steps).hasSizeGreaterThan(15);
        Path big = ROOT.resolve("target/big");
        if (!Files.exists(big)) {
            Files.write(big, new byte[64 << 20]);
        }
        List<Step> quick = steps.stream()
                .filter(step ->
                        step.typed().matches("bin/sluice (explain (read|mmap)\\+write|explain s\\w+|doctor) .*"))
                .toList();
        assertThat(quick)
                .hasSizeGreaterThan(4)
                .allSatisfy(step -> assertThat(MethodsCampaign.run(ROOT, step))
                        .as(step.typed())
                        .isEmpty());
    }

    @Test
    void numbersUnitsAndWidthsMayDifferAndWordsMayNot() {
        List<String> page = List.of("first 12 of 3.5 KiB in 7 ms", "…", "last   ~1,026 …");
        assertThat(Shape.missing(page, List.of("first 9 of 1,000 GiB in 12.5 s", "last ~2 x y")))
                .isEmpty();
        assertThat(Shape.missing(page, List.of("first  1 of 1 B in 1 ns", "a", "b", "last ~7")))
                .isEmpty();
        assertThat(Shape.missing(page, List.of("first one of 1 B in 1 ns", "last ~7")))
                .contains("first 12 of 3.5 KiB in 7 ms");
        assertThat(Shape.missing(page, List.of("first 1 of 1 B in 1 ns", "a"))).contains("last   ~1,026 …");
        assertThat(Shape.missing(page, List.of("first 1 of 1 B in 1 ns", "last ~7", "more")))
                .isPresent();
        assertThat(Shape.missing(List.of(), List.of())).isEmpty();
        assertThat(Shape.missing(List.of(), List.of("a word"))).isPresent();
    }
}
