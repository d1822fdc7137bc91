package dev.sluice.systemtest;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The short form of `bin/campaign main-job`.
class MainJobTest {
    private static final long BYTES = 16 << 20;
    private static final int KILLS = 2;

    @Test
    @Timeout(value = 8, unit = TimeUnit.MINUTES)
    void realClientsGetBackWhatTheyGaveAlsoAfterKillNine() throws Exception {
        MainJob.run(Path.of(System.getProperty("sluice.home")), BYTES, KILLS);
    }
}
