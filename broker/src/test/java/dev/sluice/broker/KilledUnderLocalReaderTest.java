package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.log.local.LocalLog;
import dev.sluice.log.local.LocalLogException;
import dev.sluice.log.local.LocalLogException.Reason;
import dev.sluice.log.local.LocalReader;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.Seeds;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A broker that is killed while it takes away what a local reader stands in, and tells it so.
@Timeout(180)
class KilledUnderLocalReaderTest {
    private static final int ROUNDS = 2;
    private static final long PATIENCE_NS = 120_000_000_000L;

    /// A reader that waits in each segment until its records are deleted, and goes on where it is told to.
    private static final class Reading {
        private long position;

        /// How often it was told to go on elsewhere.
        private final AtomicInteger told = new AtomicInteger();

        /// Before which records are deleted; written by the producer, read by the reader.
        private volatile long deletedBefore;

        /// @throws LocalLogException as soon as the broker is gone
        Void go(Path socket) throws IOException {
            try (LocalLog log = LocalLog.connect(socket)) {
                while (true) {
                    try (LocalReader reader = log.open("t", 0, position)) {
                        readUntilExpired(log, reader);
                    } catch (LocalLogException e) {
                        if (e.reason() != Reason.OFFSET_OUT_OF_RANGE) {
                            throw e;
                        }
                        assertThat(e.earliest()).isGreaterThan(position);
                        position = e.earliest();
                        told.incrementAndGet();
                    }
                }
            }
        }

        private void readUntilExpired(LocalLog log, LocalReader reader) throws IOException {
            while (true) {
                while (reader.next()) {
                    assertThat(reader.record().offset()).isEqualTo(position);
                    assertThat(new String(
                                    reader.record().value().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8))
                            .isEqualTo("v" + position);
                    position++;
                    while (deletedBefore < position) {
                        Thread.onSpinWait();
                    }
                }
                log.await(PATIENCE_NS);
            }
        }

        /// Appends and deletes until the broker is gone.
        void produce(KilledBroker broker, TopicRef topic) {
            try (TestClient client = TestClient.connect(broker.address())) {
                long end = client.endOffset(topic, 0);
                while (true) {
                    for (int i = 0; i < 12; i++) {
                        client.append(topic, 0, Batches.of("v" + end).bytes());
                        end++;
                    }
                    client.deleteRecords(topic, 0, end - 2);
                    deletedBefore = end - 2;
                }
            } catch (IOException e) {
                deletedBefore = Long.MAX_VALUE; // killed: nobody needs to be waited for
            }
        }
    }

    @Test
    void whatItReadIsRightAndTheNextBrokerGoesOn(@TempDir Path folder) {
        Seeds.run(random -> {
            Path data = folder.resolve("data");
            Path socket = data.resolve("local.sock");
            Reading reading = new Reading();
            TopicRef topic = null;
            try (ExecutorService threads = Executors.newCachedThreadPool()) {
                for (int round = 0; round < ROUNDS; round++) {
                    try (KilledBroker broker = KilledBroker.start(data);
                            TestClient client = TestClient.connect(broker.address())) {
                        if (topic == null) {
                            topic = client.create("t", 1, "segment.bytes", "500");
                        }
                        TopicRef found = topic;
                        reading.deletedBefore = 0;
                        int enough = reading.told.get() + 1 + random.nextInt(30);
                        Future<Void> read = threads.submit(() -> reading.go(socket));
                        Future<?> produced = threads.submit(() -> reading.produce(broker, found));
                        await().until(() -> reading.told.get() >= enough || read.isDone() || produced.isDone());
                        broker.kill();

                        produced.get();
                        assertThatThrownBy(read::get)
                                .cause()
                                .isInstanceOfSatisfying(
                                        LocalLogException.class,
                                        e -> assertThat(e.reason()).isEqualTo(Reason.BROKER_GONE));
                    }
                }
            }
        });
    }
}
