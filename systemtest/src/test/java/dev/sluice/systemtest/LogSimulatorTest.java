package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The short form of `bin/campaign simulate`.
@Timeout(300)
class LogSimulatorTest {
    private static final int BOUND = 4;

    @TempDir
    Path work;

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
