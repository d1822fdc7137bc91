package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtest.CrashCase.Crash;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The short form of `bin/campaign crash`.
class CrashCampaignTest {
    private static List<CrashRun.Result> run(CrashCase of, int cycles) throws Exception {
        return CrashCampaign.run(
                Path.of(System.getProperty("sluice.home")), List.of(of), cycles, cycles, cycles, System.nanoTime());
    }

    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    void nothingAcknowledgedIsLostByKillNine() throws Exception {
        for (CrashRun.Result result : run(new CrashCase(Crash.KILL, CrashCase.FOLDER, "os", false), 4)) {
            assertThat(result.failures()).isEmpty();
            assertThat(result.cycles()).isEqualTo(4);
            assertThat(result.acknowledged()).isPositive();
        }
    }
}
