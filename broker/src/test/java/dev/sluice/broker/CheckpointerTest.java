package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.config.BrokerConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class CheckpointerTest {
    @TempDir
    Path folder;

    @Test
    void aRunningBrokerWritesItsCheckpointsByItself() throws Exception {
        Path checkpoint = folder.resolve("recovery-point-offset-checkpoint");
        try (Broker _ = Broker.start(BrokerConfig.load(Map.of(
                "log.dirs", folder.toString(),
                "listeners", "127.0.0.1:0",
                "log.flush.offset.checkpoint.interval.ms", "20")))) {
            Files.deleteIfExists(checkpoint);
            await().untilAsserted(() -> assertThat(checkpoint).exists());
        }
    }
}
