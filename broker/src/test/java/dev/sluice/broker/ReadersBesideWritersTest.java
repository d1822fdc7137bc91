package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Call;
import dev.sluice.testbase.LoopFileSystem;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// On xfs a write locks its file for readers, so a read that may not wait (RWF_NOWAIT) is answered EAGAIN beside it,
/// though all bytes are in memory. What a consumer asks for then comes the way of what is not in memory.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class ReadersBesideWritersTest {
    private static final int BATCHES = 400;
    private static final int BATCH_BYTES = 20_000;
    private static final int ENOUGH = 20;

    @TempDir
    Path folder;

    /// Writes over a file what it holds, a whole file a call, so that it is hardly ever not being written to.
    private static final class Rewriting implements AutoCloseable {
        private final CompletableFuture<Void> running = new CompletableFuture<>();
        private final Thread thread;
        private volatile boolean stopped;

        Rewriting(Path file) throws IOException {
            ByteBuffer bytes = ByteBuffer.allocateDirect((int) Files.size(file));
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            thread = Thread.ofPlatform().start(() -> {
                try (channel) {
                    channel.read(bytes, 0);
                    while (!stopped) {
                        channel.write(bytes.rewind(), 0);
                    }
                    running.complete(null);
                } catch (Throwable t) {
                    running.completeExceptionally(t);
                }
            });
        }

        @Override
        public void close() throws InterruptedException {
            stopped = true;
            thread.join();
            running.join();
        }
    }

    @Test
    @Tag("root")
    void aSmallAnswerComesThoughEveryReadWouldWaitForTheWriter() throws Exception {
        try (LoopFileSystem disk = LoopFileSystem.create(folder, "xfs", LoopFileSystem.LEAST_XFS_BYTES);
                TestBroker broker = TestBroker.start(disk.folder().resolve("data"));
                TestClient client = broker.client()) {
            TopicRef topic = client.create("topic", 1);
            Random random = new Random(5);
            List<byte[]> stored = new ArrayList<>();
            for (int i = 0; i < BATCHES; i++) {
                byte[] batch = Batches.random(random, 1, BATCH_BYTES).bytes();
                client.append(topic, 0, batch);
                stored.add(Batches.stored(batch, i, 0));
            }
            GateFaults.Fault small =
                    broker.faults.on(Call.PREADV2).of("*/topic-0/*.log").isCounted();
            GateFaults.Fault readBeside =
                    broker.faults.on(Call.SENDFILE).of("/proc/self/fd/*").isCounted();
            try (Rewriting _ = new Rewriting(disk.folder().resolve("data/topic-0/00000000000000000000.log"))) {
                do {
                    int offset = random.nextInt(BATCHES);
                    byte[] answer = TestClient.bytes(client.fetch(
                                    FETCH, fetchRequest(FETCH, topic, 0, offset).setMaxBytes(1))
                            .records());
                    assertThat(answer).isEqualTo(stored.get(offset));
                } while (readBeside.hits() < ENOUGH || small.hits() < ENOUGH); // one read may take several calls
            }
        }
    }
}
