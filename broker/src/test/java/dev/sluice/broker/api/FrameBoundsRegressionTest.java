package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.RawKafkaClient;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(180)
class FrameBoundsRegressionTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource(names = {"METADATA", "CREATE_TOPICS", "DELETE_TOPICS", "FETCH", "LIST_OFFSETS", "INIT_PRODUCER_ID"})
    void aFrameThatNoClientOfTheApiSendsIsRefusedBeforeItIsReceived(ApiKeys api) throws Exception {
        try (RegressionBroker broker = new RegressionBroker(folder);
                RawKafkaClient client = broker.connect()) {
            client.sendBytes(
                    ByteBuffer.allocate(6).putInt(57 << 20).putShort(api.id).array());

            assertThat(client.readUntilClosed()).isEmpty();
        }
    }
}
