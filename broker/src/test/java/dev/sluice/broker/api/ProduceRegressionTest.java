package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.RawKafkaClient;
import java.nio.file.Path;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class ProduceRegressionTest {
    @TempDir
    Path folder;

    @Test
    void aProduceThatThrowsEndsItsConnectionAndLeavesTheHandlerFit() throws Exception {
        GateFaults faults = new GateFaults();
        try (RegressionBroker broker = new RegressionBroker(faults, folder);
                RawKafkaClient first = broker.connect();
                RawKafkaClient second = broker.connect()) {
            Uuid topic = RegressionBroker.create(first, "throws");
            faults.on(Call.PWRITE).of("*/throws-0/*.log").times(1).runs(() -> {
                throw new IllegalStateException("thrown by a test");
            });

            first.sendBytes(RegressionBroker.produceFrame(topic, new byte[10]));
            assertThat(first.readUntilClosed()).isEmpty();

            assertThat(RegressionBroker.produce(second, topic, new byte[10])).isZero();
        }
    }
}
