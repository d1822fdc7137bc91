package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.VirtualDisk;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The short form of `bin/campaign simulate`.
@Timeout(300)
class LogSimulatorTest {
    private static final int BOUND = 4;

    private Path work;

    /// On a tmpfs if there is one: the real syncs below the simulated disk are of no interest.
    @BeforeEach
    void workFolder() throws IOException {
        Path memory = Path.of("/dev/shm");
        work = Files.createTempDirectory(Files.isWritable(memory) ? memory : Path.of("/var/tmp"), "sluice-simulate");
    }

    @AfterEach
    void empty() throws IOException {
        VirtualDisk.remove(work);
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 1001})
    void everyCrashStateOfASeedKeepsWhatWasPromised(long seed) throws IOException {
        LogSimulator.Outcome outcome = LogSimulator.run(work, seed, BOUND, false);
        assertThat(outcome.failures()).isEmpty();
        assertThat(outcome.states()).isPositive();
    }

    @Test
    void theControlWhoseSyncsDoNothingIsCaught() throws IOException {
        for (long seed : LongStream.range(0, 10).toArray()) {
            if (!LogSimulator.run(work, seed, BOUND, true).failures().isEmpty()) {
                return;
            }
        }
        throw new AssertionError("syncs that did nothing were not noticed");
    }
}
