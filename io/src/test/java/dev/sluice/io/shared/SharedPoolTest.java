package dev.sluice.io.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.support.Leaks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(value = 3, unit = TimeUnit.MINUTES)
class SharedPoolTest {
    private static final int BUFFER_BYTES = 8192;
    private static final SharedPoolConfig THREE = new SharedPoolConfig(BUFFER_BYTES, 3);
    private static final long LONG_NS = 50_000_000_000L;

    private final Kernel kernel = new Kernel();
    private final Leaks leaks = new Leaks(kernel);

    @AfterEach
    void nothingIsLeftOpenOrMapped() {
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    private Ends connect(SharedPoolConfig config) throws Exception {
        return Ends.connect(kernel, config, SharedPoolReaderConfig.DEFAULT);
    }

    @Test
    void whatIsFilledIsReadInPlaceInOrderAndComesBack() throws Exception {
        try (Ends ends = connect(THREE)) {
            for (int round = 0; round < 10; round++) { // the rings wrap
                for (int i = 0; i < 3; i++) {
                    SharedBuffer filled = ends.acquire();
                    filled.memory().set(ValueLayout.JAVA_INT, 0, 10 * round + i);
                    ends.pool().send(filled, 4 + i);
                }
                assertThat(ends.pool().acquire(0)).as("all are out").isNull();
                for (int i = 0; i < 3; i++) {
                    SharedBuffer received = ends.receive();
                    assertThat(received.memory().byteSize()).isEqualTo(4 + i);
                    assertThat(received.memory().get(ValueLayout.JAVA_INT, 0)).isEqualTo(10 * round + i);
                    assertThat(received.memory().isReadOnly()).isTrue();
                    ends.reader().release(received);
                }
                assertThat(ends.reader().receive(0)).isNull();
            }
            ends.pool().discard(ends.acquire());
            assertThat(ends.pool().freeBuffers()).isEqualTo(3);
        }
    }

    @Test
    void aMessageCostsNoSystemCallAsLongAsNobodySleeps() throws Exception {
        try (Ends ends = connect(THREE)) {
            var before = kernel.account().snapshot();
            for (int i = 0; i < 1_000; i++) {
                ends.pool().send(ends.acquire(), BUFFER_BYTES);
                ends.reader().release(ends.receive());
            }
            assertThat(kernel.account().snapshot()).isEqualTo(before);
        }
    }

    enum Waiting {
        ASLEEP,
        SPINNING,
        IN_AN_EVENT_LOOP
    }

    /// A wake-up that gets lost stalls the writer or the reader in an event loop for ever, and for a slice of time
    /// on a futex.
    @ParameterizedTest
    @EnumSource
    void nobodySleepsThroughWhatHeWaitsFor(Waiting waiting) throws Exception {
        int messages = 20_000;
        long spinNs = waiting == Waiting.SPINNING ? 20_000 : 0;
        try (Ends ends =
                Ends.connect(kernel, THREE.withSpinNs(spinNs), SharedPoolReaderConfig.DEFAULT.withSpinNs(spinNs))) {
            FutureTask<Integer> reading = new FutureTask<>(() -> {
                for (int i = 0; i < messages; i++) {
                    if (waiting == Waiting.IN_AN_EVENT_LOOP && ends.reader().arm()) {
                        awaitReadiness(ends.reader().readiness());
                    }
                    SharedBuffer received = ends.reader().receive(LONG_NS);
                    assertThat(received.memory().get(ValueLayout.JAVA_INT, 0)).isEqualTo(i);
                    ends.reader().release(received);
                }
                return messages;
            });
            Thread.ofPlatform().start(reading);
            for (int i = 0; i < messages; i++) {
                if (waiting == Waiting.IN_AN_EVENT_LOOP && ends.pool().arm()) {
                    awaitReadiness(ends.pool().readiness());
                }
                SharedBuffer filled = ends.pool().acquire(LONG_NS);
                filled.memory().set(ValueLayout.JAVA_INT, 0, i);
                ends.pool().send(filled, 4);
            }
            assertThat(reading.get()).isEqualTo(messages);
        }
    }

    private void awaitReadiness(dev.sluice.io.linux.Descriptor readiness) {
        try (Arena arena = Arena.ofConfined()) {
            assertThat(kernel.polls().await(readiness, Polls.POLLIN, 40_000, arena.allocate(Polls.SCRATCH_BYTES, 4)))
                    .isEqualTo(Polls.POLLIN);
        }
    }

    @Test
    void aCopyIsVerifiedAndSaysWhenTheBytesChangedAfterTheyWereSent() throws Exception {
        try (Ends ends = connect(THREE);
                Arena arena = Arena.ofConfined()) {
            SharedBuffer filled = ends.acquire();
            filled.memory().fill((byte) 7);
            ends.pool().sendWithChecksum(filled, 1000);
            SharedBuffer received = ends.receive();
            MemorySegment copy = arena.allocate(BUFFER_BYTES);
            assertThat(received.copyTo(copy)).isTrue();
            assertThat(copy.asSlice(0, 1000).mismatch(received.memory())).isEqualTo(-1);

            filled.memory().set(ValueLayout.JAVA_BYTE, 999, (byte) 8);
            assertThat(received.copyTo(copy))
                    .as("changed in the reader's hands")
                    .isFalse();
            assertThat(received.copyTo(MemorySegment.ofArray(new byte[1000])))
                    .as("on the heap")
                    .isFalse();
            ends.reader().release(received);

            ends.pool().send(ends.acquire(), 1000);
            assertThat(ends.receive().hasChecksum()).isFalse();
        }
    }

    @Test
    void privateCopiesAreUnseenByTheWriterCountedAndGoneWithTheRelease() throws Exception {
        SharedPoolConfig one = new SharedPoolConfig(4 * 4096, 1);
        try (Ends ends = Ends.connect(kernel, one, SharedPoolReaderConfig.DEFAULT.withPrivateCopies())) {
            SharedBuffer filled = ends.acquire();
            filled.memory().fill((byte) 1);
            ends.pool().send(filled, one.bufferBytes());
            SharedBuffer received = ends.receive();
            received.memory().set(ValueLayout.JAVA_BYTE, 5, (byte) 9);
            received.memory().set(ValueLayout.JAVA_BYTE, 6, (byte) 9); // the same page
            received.memory().set(ValueLayout.JAVA_BYTE, 3 * 4096, (byte) 9);
            assertThat(received.memory().get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 9);
            assertThat(filled.memory().get(ValueLayout.JAVA_BYTE, 5))
                    .as("the writer's page")
                    .isEqualTo((byte) 1);
            ends.reader().release(received);
            assertThat(ends.reader().copiedBytes()).isEqualTo(2 * 4096);

            filled = ends.acquire();
            filled.memory().fill((byte) 2);
            ends.pool().send(filled, one.bufferBytes());
            received = ends.receive();
            assertThat(received.memory().get(ValueLayout.JAVA_BYTE, 5))
                    .as("no stale copy of the page")
                    .isEqualTo((byte) 2);
            ends.reader().release(received);
            assertThat(ends.reader().copiedBytes()).as("reading copies nothing").isEqualTo(2 * 4096);
        }
    }

    @Test
    void aReaderThatClosesGivesBackWhatItHadAndTheNextOneIsAttached() throws Exception {
        try (Ends ends = connect(THREE)) {
            SharedBuffer filling = ends.acquire();
            ends.pool().send(ends.acquire(), 1);
            ends.pool().send(ends.acquire(), 2);
            ends.receive();
            assertThat(ends.pool().acquire(0))
                    .as("control: while it lives, they are its own")
                    .isNull();
            ends.reader().close();
            assertThat(ends.pool().acquire(LONG_NS)).isNotNull();
            assertThat(ends.pool().freeBuffers()).isEqualTo(1);
            assertThatThrownBy(() -> ends.pool().send(filling, 1)).isInstanceOf(PeerGoneException.class);

            try (SharedPoolReader next = Ends.attach(kernel, ends.pool(), SharedPoolReaderConfig.DEFAULT)) {
                ends.pool().send(filling, 77);
                assertThat(next.receive(0).lengthBytes()).isEqualTo(77);
            }
        }
    }

    @Test
    void anEventLoopLearnsOfTheEndWhicheverSideItServes() throws Exception {
        try (Ends ends = connect(THREE)) {
            ends.reader().close();
            assertThat(ends.pool().arm()).as("nothing to wait for").isFalse();
            assertThat(ends.pool().isAttached()).isFalse();
        }
        try (Ends ends = connect(THREE)) {
            for (int i = 0; i < 3; i++) {
                ends.pool().send(ends.acquire(), 1);
            }
            assertThat(ends.pool().arm()).as("control: it lives").isTrue();
            ends.reader().close();
            assertThat(ends.pool().arm()).isFalse();
            assertThat(ends.pool().freeBuffers()).isEqualTo(3);
        }
        try (Ends ends = connect(THREE)) {
            assertThat(ends.reader().arm()).as("control: it lives").isTrue();
            ends.pool().close();
            assertThatThrownBy(() -> ends.reader().arm()).isInstanceOf(PeerGoneException.class);
        }
    }

    @Test
    void whatTheWriterSentBeforeItClosedIsStillReceivedAndRead() throws Exception {
        try (Ends ends = connect(THREE)) {
            SharedBuffer filled = ends.acquire();
            filled.memory().set(ValueLayout.JAVA_INT, 0, 4711);
            ends.pool().send(filled, 4);
            ends.pool().close();
            SharedBuffer received = ends.reader().receive(LONG_NS);
            assertThat(received.memory().get(ValueLayout.JAVA_INT, 0)).isEqualTo(4711);
            assertThatThrownBy(() -> ends.reader().receive(LONG_NS)).isInstanceOf(PeerGoneException.class);
            assertThat(received.memory().get(ValueLayout.JAVA_INT, 0)).isEqualTo(4711);
            ends.reader().release(received);
        }
    }

    @Test
    void mistakesOfTheCallerAreToldAndChangeNothing() throws Exception {
        try (Ends ends = connect(THREE);
                Ends others = connect(THREE)) {
            SharedBuffer filled = ends.acquire();
            assertThatThrownBy(() -> ends.pool().send(filled, BUFFER_BYTES + 1))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> others.pool().send(filled, 1)).isInstanceOf(IllegalStateException.class);
            ends.pool().send(filled, 1);
            assertThatThrownBy(() -> ends.pool().send(filled, 1)).isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> ends.pool().discard(filled)).isInstanceOf(IllegalStateException.class);
            SharedBuffer received = ends.receive();
            ends.reader().release(received);
            assertThatThrownBy(() -> ends.reader().release(received)).isInstanceOf(IllegalStateException.class);
            assertThat(ends.acquire()).isSameAs(filled);
            ends.pool().close();
            assertThatThrownBy(() -> filled.memory().get(ValueLayout.JAVA_BYTE, 0))
                    .as("instead of a crash")
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(() -> ends.pool().acquire(0)).isInstanceOf(IllegalStateException.class);
        }
        assertThatThrownBy(() -> new SharedPoolConfig(100, 1)).hasMessageContaining("multiple of 64");
    }
}
