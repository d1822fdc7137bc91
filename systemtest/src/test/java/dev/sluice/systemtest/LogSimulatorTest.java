package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

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
    private static final long DIRECT_SEED = 4;

    private Path work;
    private Path onDisk;

    /// On a tmpfs if there is one: the real syncs below the simulated disk are of no interest. Direct I/O needs a
    /// disk.
    @BeforeEach
    void workFolder() throws IOException {
        Path memory = Path.of("/dev/shm");
        work = Files.createTempDirectory(Files.isWritable(memory) ? memory : Path.of("/var/tmp"), "sluice-simulate");
        onDisk = Files.createTempDirectory(Path.of("/var/tmp"), "sluice-simulate");
    }

    @AfterEach
    void empty() throws IOException {
        VirtualDisk.remove(work);
        VirtualDisk.remove(onDisk);
    }

    /// That of the even one fills its files ahead, that of the first appends several batches by one write; the last
    /// one tears the file of epochs while it is replaced.
    @ParameterizedTest
    @ValueSource(longs = {3, 4, 1001, 1_000_003})
    void everyCrashStateOfASeedKeepsWhatWasPromised(long seed) throws IOException {
        assertHolds(LogSimulator.run(work, work, LogSimulator.Engine.PWRITE, seed, BOUND, false));
    }

    @Test
    void everyCrashStateOfASeedByDirectIoKeepsWhatWasPromised() throws IOException {
        assumeTrue(SimulatorCampaign.knowsDirectIo(onDisk), "no direct I/O in /var/tmp");
        LogSimulator.Outcome outcome =
                LogSimulator.run(work, onDisk, LogSimulator.Engine.DIRECT, DIRECT_SEED, BOUND, false);
        assertHolds(outcome);
        assertThat(LogSimulator.run(work, onDisk, LogSimulator.Engine.DIRECT, DIRECT_SEED, BOUND, false))
                .as("the same seed does the same, whatever thread writes")
                .isEqualTo(outcome);
    }

    private static void assertHolds(LogSimulator.Outcome outcome) {
        assertThat(outcome.failures()).isEmpty();
        assertThat(outcome.states()).isPositive();
    }

    @Test
    void theControlWhoseSyncsDoNothingIsCaught() throws IOException {
        for (long seed : LongStream.range(0, 10).toArray()) {
            if (!LogSimulator.run(work, work, LogSimulator.Engine.PWRITE, seed, BOUND, true)
                    .failures()
                    .isEmpty()) {
                return;
            }
        }
        throw new AssertionError("syncs that did nothing were not noticed");
    }
}
