package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.systemtest.CrashCase.Crash;
import dev.sluice.testkit.Anomaly.Kind;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The short form of `bin/campaign crash`.
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class CrashCampaignTest {
    private static CrashRun.Result run(CrashCase of, int cycles) throws Exception {
        CrashRun.Result result = CrashCampaign.run(
                        Path.of(System.getProperty("sluice.home")),
                        List.of(of),
                        cycles,
                        cycles,
                        cycles,
                        System.nanoTime())
                .getFirst();
        assertThat(result.failures()).isEmpty();
        assertThat(result.cycles()).isEqualTo(cycles);
        assertThat(result.acknowledged()).isPositive();
        return result;
    }

    @Test
    void nothingAcknowledgedIsLostByKillNine() throws Exception {
        run(new CrashCase(Crash.KILL, CrashCase.FOLDER, "os", false), 3);
    }

    @Test
    @Tag("root")
    void nothingAcknowledgedIsLostByAPowerCutWithFlushAck() throws Exception {
        run(new CrashCase(Crash.POWER_CUT, "ext4", "ack", false), 3);
    }

    @Test
    @Tag("root")
    void nothingAcknowledgedIsLostByAPowerCutWithFlushAckPastThePageCache() throws Exception {
        run(new CrashCase(Crash.POWER_CUT, "ext4", "ack", false, "direct"), 2);
    }

    @Test
    @Tag("root")
    void nothingAcknowledgedIsLostByAPowerCutWithFlushAckOfWhatWasStoredThroughAMap() throws Exception {
        run(new CrashCase(Crash.POWER_CUT, "xfs", "ack", false, "mapped"), 2);
    }

    @Test
    @Tag("root")
    void noOffsetIsGivenTwiceThoughAPowerCutTakesWhatWasNotFlushed() throws Exception {
        CrashRun.Result result = run(new CrashCase(Crash.POWER_CUT, "xfs", "os", false), 2);
        assertThat(result.anomalies().get(Kind.LOST)).isPositive();
    }

    @Test
    @Tag("root")
    void theControlWithoutFsyncLosesWhatWasAcknowledged() throws Exception {
        CrashRun.Result result = run(new CrashCase(Crash.POWER_CUT, "xfs", "ack", true), 1);
        assertThat(result.anomalies().get(Kind.LOST)).isPositive();
    }
}
