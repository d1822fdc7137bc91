package dev.sluice.io.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.ChildJvm;
import dev.sluice.io.support.Leaks;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// kill -9 of either process, with buffers in every state.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class PeerDeathTest {
    private static final long LONG_NS = PoolPeerMain.LONG_NS;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private final Leaks leaks = new Leaks(kernel);
    private Descriptor listener;
    private Path path;

    @BeforeEach
    void listen() throws Exception {
        path = folder.resolve("socket");
        listener = PeerSockets.listen(kernel, path, 0600, kernel.account());
    }

    @AfterEach
    void nothingIsLeftOpenOrMapped() {
        listener.close();
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    private ChildJvm start(String part) throws Exception {
        return ChildJvm.start(List.of(), ChildJvm.ownClasses(), PoolPeerMain.class, path.toString(), part);
    }

    private Descriptor accept() throws Exception {
        return PeerSockets.accept(kernel, listener, 20_000, kernel.account());
    }

    @Test
    void aKilledReadersBuffersComeBackWhateverStateTheyWereIn() throws Exception {
        try (SharedPool pool = SharedPool.create(kernel, PoolPeerMain.CONFIG, kernel.account())) {
            SharedBuffer filling = pool.acquire(0);
            try (ChildJvm child = start("hold")) {
                pool.attach(accept());
                SharedBuffer unseen = pool.acquire(0);
                pool.send(pool.acquire(0), 1); // it will hold this
                pool.send(pool.acquire(0), 2); // and release this, which we don't look for
                assertThat(child.line()).isEqualTo("ready");
                pool.send(unseen, 3);
                assertThat(pool.freeBuffers()).isEqualTo(1);
                child.kill();
                pool.send(pool.acquire(0), 4); // before we notice
                pool.send(pool.acquire(0), 5);
            }
            assertThat(pool.acquire(LONG_NS)).as("waited for and noticed").isNotNull();
            assertThat(pool.isAttached()).isFalse();
            assertThat(pool.freeBuffers()).isEqualTo(PoolPeerMain.BUFFERS - 2); // two are being filled
            assertThatThrownBy(() -> pool.send(filling, 1)).isInstanceOf(PeerGoneException.class);

            try (SharedPoolReader next = Ends.attach(kernel, pool, SharedPoolReaderConfig.DEFAULT)) {
                pool.send(filling, 77);
                assertThat(next.receive(0).lengthBytes()).isEqualTo(77);
            }
        }
    }

    @Test
    void aLivingReadersBuffersDoNotComeBack() throws Exception { // the control of the test above
        try (SharedPool pool = SharedPool.create(kernel, PoolPeerMain.CONFIG, kernel.account());
                ChildJvm child = start("hold")) {
            pool.attach(accept());
            for (int i = 0; i < 3; i++) {
                pool.send(pool.acquire(0), 1);
            }
            assertThat(child.line()).isEqualTo("ready");
            for (int i = 0; i < 3; i++) {
                pool.send(pool.acquire(0), 1);
            }
            assertThat(pool.acquire(2 * PeerLink.LIVENESS_NS)).isNull();
            assertThat(pool.isAttached()).isTrue();
        }
    }

    @Test
    void whatAKilledWriterSentIsReceivedAndReadAndNothingElse() throws Exception {
        try (ChildJvm child = start("write-three");
                SharedPoolReader reader =
                        SharedPoolReader.accept(kernel, accept(), SharedPoolReaderConfig.DEFAULT, kernel.account())) {
            SharedBuffer held = reader.receive(LONG_NS);
            SharedBuffer released = reader.receive(LONG_NS);
            assertThat(child.line()).isEqualTo("ready");
            reader.release(released);
            child.kill();
            SharedBuffer last = reader.receive(LONG_NS);
            assertThat(last.memory().get(ValueLayout.JAVA_INT, 0)).isEqualTo(2);
            assertThatThrownBy(() -> reader.receive(LONG_NS)).isInstanceOf(PeerGoneException.class);
            assertThat(held.memory().get(ValueLayout.JAVA_INT, 0)).isZero();
            reader.release(held);
            reader.release(last);
            assertThat(reader.heldBuffers()).isZero();
        }
    }

    @Test
    void killedAtAnyMomentOfTheTrafficEitherSideLeavesTheOtherWhole() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        killTheReader(random.nextInt(5_000), seed);
        killTheWriter(random.nextInt(5_000), seed);
    }

    private void killTheReader(int afterMessages, long seed) throws Exception {
        try (SharedPool pool = SharedPool.create(kernel, PoolPeerMain.CONFIG, kernel.account());
                ChildJvm child = start("read")) {
            pool.attach(accept());
            for (int i = 0; pool.isAttached(); i++) {
                if (i == afterMessages) {
                    child.signalKill();
                }
                SharedBuffer buffer = pool.acquire(LONG_NS);
                if (pool.isAttached()) {
                    pool.send(buffer, 8);
                } else {
                    pool.discard(buffer);
                }
            }
            assertThat(pool.freeBuffers()).as("seed %d", seed).isEqualTo(PoolPeerMain.BUFFERS);
        }
    }

    private void killTheWriter(int afterMessages, long seed) throws Exception {
        try (ChildJvm child = start("write");
                SharedPoolReader reader =
                        SharedPoolReader.accept(kernel, accept(), SharedPoolReaderConfig.DEFAULT, kernel.account())) {
            for (int i = 0; ; i++) {
                if (i == afterMessages) {
                    child.signalKill();
                }
                SharedBuffer buffer = reader.receive(LONG_NS);
                int first = buffer.memory().getAtIndex(ValueLayout.JAVA_INT, 0);
                int second = buffer.memory().getAtIndex(ValueLayout.JAVA_INT, 1);
                assertThat(List.of(first, second)).as("seed %d", seed).containsExactly(i, i);
                reader.release(buffer);
            }
        } catch (PeerGoneException e) {
            // what this is about
        }
    }
}
