package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.RawKafkaClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// How a broker ends.
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BrokerRegressionTest {
    @TempDir
    Path folder;

    private Broker start(Gate gate) throws IOException {
        return Broker.start(
                BrokerConfig.load(Map.of("log.dirs", folder.toString(), "listeners", "PLAINTEXT://127.0.0.1:0")),
                new Kernel(gate),
                InstantSource.system());
    }

    @Test
    void aBrokerWhoseLoopDiesClosesItselfAndLetsTheNextOneRecover() throws Exception {
        AtomicBoolean deadly = new AtomicBoolean();
        Broker broker = start((call, subject, position, lengthBytes) ->
                call == Call.EPOLL_WAIT && deadly.get() ? -Errno.EBADF : lengthBytes);
        try (RawKafkaClient client = RawKafkaClient.connect(broker.addresses().getFirst())) {
            client.status(null);
            deadly.set(true);
            client.sendBytes(new byte[] {0});
            Throwable cause = broker.failure().toCompletableFuture().get(60, TimeUnit.SECONDS);
            assertThat(cause).hasMessageContaining("EBADF");
            client.readUntilClosed();
        }
        broker.close(); // changes nothing

        try (Broker next = start(Gate.OPEN)) {
            assertThat(next.recoveryReport().clean()).isFalse();
        }
        try (Broker next = start(Gate.OPEN)) {
            assertThat(next.recoveryReport().clean()).isTrue();
        }
    }

    @Test
    void aFolderThatSomebodyStillWritesToIsNeitherMarkedCleanNorUnlocked() throws Exception {
        GateFaults faults = new GateFaults();
        Broker broker = start(faults);
        CountDownLatch release = new CountDownLatch(1);
        try (RawKafkaClient client = RawKafkaClient.connect(broker.addresses().getFirst())) {
            GateFaults.Fault held = faults.on(Call.MKDIR).of("*/slow-0").waitsFor(release);
            CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
            request.topics()
                    .add(new CreatableTopic()
                            .setName("slow")
                            .setNumPartitions(1)
                            .setReplicationFactor((short) 1));
            client.send(ApiKeys.CREATE_TOPICS, 7, request);
            held.awaitHits(1);

            assertThatThrownBy(broker::close).isInstanceOf(IOException.class).hasMessageContaining("locked");
            assertThatThrownBy(() -> start(Gate.OPEN)).isInstanceOf(IOException.class);
        } finally {
            release.countDown();
            awaitControlThreads();
        }
    }

    /// What was held goes on writing to the folder, which is removed behind the test.
    private static void awaitControlThreads() throws InterruptedException {
        for (Thread thread : Thread.getAllStackTraces().keySet()) {
            if (thread.getName().startsWith("sluice-control-")) {
                thread.join();
            }
        }
    }
}
