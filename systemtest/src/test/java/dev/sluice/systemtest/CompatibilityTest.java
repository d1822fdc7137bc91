package dev.sluice.systemtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.RequiresProgram;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The short form of `bin/campaign compatibility`: the clients that need nothing fetched, and take seconds.
class CompatibilityTest {
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    @RequiresProgram("kcat")
    void kafkasConsoleToolsAndKcatGetBackWhatTheyGave() throws Exception {
        Path home = Path.of(System.getProperty("sluice.home"));

        int failed = Compatibility.run(
                home, home.resolve("target"), Set.of("console tools", "kcat", "kafka-delete-records"));

        assertThat(failed).isZero();
    }
}
