package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The short form of `bin/campaign fuzz`: the inputs that the repository keeps once more, among them every one that
/// ever found something, then some seconds of Jazzer.
@Timeout(300)
@ExtendWith(LeakCounter.class)
class FuzzTest {
    private static final Path KEPT = Path.of("src/test/fuzz");

    @AfterEach
    void close() throws IOException {
        Fuzz.close();
    }

    @ParameterizedTest
    @EnumSource(Fuzz.Name.class)
    void theInputsThatWereKeptFindNothing(Fuzz.Name target) throws Exception {
        List<Path> inputs = FuzzRun.kept(KEPT.resolve(target.name().toLowerCase(Locale.ROOT)));
        assertThat(inputs).isNotEmpty();
        for (Path input : inputs) {
            try {
                Fuzz.run(Files.readAllBytes(input));
            } catch (Exception | Error e) {
                throw new AssertionError(input + ": " + e.getMessage(), e);
            }
        }
    }

    @Test
    void jazzerFindsNothingInAFewSeconds(@TempDir Path work) throws Exception {
        List<Path> corpora = Stream.of(Fuzz.Name.values())
                .map(target -> KEPT.resolve(target.name().toLowerCase(Locale.ROOT)))
                .toList();
        Process jazzer = FuzzRun.jazzer(work, "", corpora, "-seed=1", "-runs=12000", "-max_total_time=10")
                .start();
        try {
            String said = new String(jazzer.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(jazzer.waitFor()).as(said).isZero();
            assertThat(said).containsPattern("Done \\d+ runs");
        } finally {
            jazzer.destroyForcibly();
        }
    }

    /// The control: a broker's file that changed under a good partition is noticed.
    @Test
    void aTargetNoticesWhatMustNotBe() throws Exception {
        try (RecoveryFuzz recovery = new RecoveryFuzz(true)) {
            byte[] seed = recovery.seeds().getFirst();
            AssertionError noticed = null;
            try {
                recovery.run(Arrays.copyOf(seed, seed.length));
            } catch (AssertionError e) {
                noticed = e;
            }
            assertThat(noticed).isNotNull().hasMessageContaining("the good partition is not what it was");
        }
    }
}
