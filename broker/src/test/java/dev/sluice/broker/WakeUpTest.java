package dev.sluice.broker;

import static dev.sluice.broker.TestClient.FETCH;
import static dev.sluice.broker.TestClient.bytes;
import static dev.sluice.broker.TestClient.fetchRequest;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// That no fetch sleeps on records it could have: a fetch that begins to wait and an append that looks for those who
/// wait must not miss each other.
///
/// The race of the two is run many times over real sockets. As a control of what is being raced for, a model of the
/// handshake is searched through: all orders of its steps on processors that hold stores back, as x86 and aarch64 do.
/// With all its parts none of them loses a wake-up; without any one of them some do.
@ExtendWith(LeakCounter.class)
class WakeUpTest {
    private static final int AN_HOUR_MS = 3_600_000;
    private static final int FETCHERS = 8;
    private static final int ROUNDS = 400;

    /// In every round all fetches and one append set out together; the round ends when every fetch has brought the
    /// batch. So a lost wake-up is not made good by a later append: it leaves its fetch waiting for an hour, and
    /// fails the test by the client's patience.
    @Test
    void everyFetchSeesEveryAppend(@TempDir Path folder) throws Exception {
        byte[] batch = Batches.of("x").bytes();
        try (TestBroker broker = TestBroker.start(folder.resolve("data"), "num.network.threads", "3");
                ExecutorService threads = Executors.newCachedThreadPool();
                TestClient producer = broker.client()) {
            TopicRef topic = producer.create("topic", 1);
            CyclicBarrier round = new CyclicBarrier(FETCHERS + 1);
            List<Future<?>> fetchers = new ArrayList<>();
            for (int i = 0; i < FETCHERS; i++) {
                fetchers.add(threads.submit(() -> {
                    follow(broker, topic, round, batch.length);
                    return null;
                }));
            }
            for (int offset = 0; offset < ROUNDS; offset++) {
                round.await(120, TimeUnit.SECONDS);
                assertThat(producer.append(topic, 0, batch)).isEqualTo(offset);
            }
            for (Future<?> fetcher : fetchers) {
                fetcher.get();
            }
        }
    }

    private static void follow(TestBroker broker, TopicRef topic, CyclicBarrier round, int batchBytes)
            throws Exception {
        try (TestClient client = broker.client()) {
            for (int offset = 0; offset < ROUNDS; offset++) {
                round.await(120, TimeUnit.SECONDS);
                var answer = client.fetch(
                        FETCH, fetchRequest(FETCH, topic, 0, offset).setMaxWaitMs(AN_HOUR_MS));
                assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
                assertThat(bytes(answer.records())).hasSize(batchBytes);
            }
        } catch (IOException e) {
            throw new AssertionError("a fetch of offset of " + topic + " got no answer", e);
        }
    }

    // ---- The control: a model

    @ParameterizedTest
    @CsvSource({
        "true, true, true, false",
        "false, true, true, true",
        "true, false, true, true",
        "true, true, false, true",
    })
    void theHandshakeNeedsEachOfItsParts(
            boolean appenderFence, boolean waiterFence, boolean secondLook, boolean losesAWakeUp) {
        assertThat(new Handshake(appenderFence, waiterFence, secondLook).canLoseAWakeUp())
                .isEqualTo(losesAWakeUp);
    }

    /// One append and one fetch, step by step:
    ///
    /// ```
    ///   appender (Partition.append)            waiter (PendingFetch.begin, park)
    ///   0 publish the end: a store             0 look at the end; enough? answered
    ///   1 fence                                1 register: a store
    ///   2 anybody registered? tell them        2 fence
    ///                                          3 look at the end again; grown? answered
    /// ```
    ///
    /// Each has a store buffer: a store is seen by the other once it has drained, at any time, or at its own fence.
    private record Handshake(boolean appenderFence, boolean waiterFence, boolean secondLook) {
        private static final int APPENDER_DONE = 3;
        private static final int WAITER_SLEEPS = 4;
        private static final int WAITER_ANSWERED = 5;

        /// @param publishing  the end is in the appender's store buffer
        /// @param published   the end is in memory
        /// @param registering the registration is in the waiter's store buffer
        /// @param registered  the registration is in memory
        private record State(
                int appender,
                int waiter,
                boolean publishing,
                boolean published,
                boolean registering,
                boolean registered,
                boolean told) {}

        boolean canLoseAWakeUp() {
            return search(new State(0, 0, false, false, false, false, false), new HashSet<>());
        }

        private boolean search(State state, Set<State> seen) {
            if (!seen.add(state)) {
                return false;
            }
            List<State> next = next(state);
            if (next.isEmpty()) {
                return state.waiter() == WAITER_SLEEPS && !state.told();
            }
            return next.stream().anyMatch(each -> search(each, seen));
        }

        private List<State> next(State now) {
            List<State> next = new ArrayList<>();
            if (now.publishing()) {
                next.add(new State(
                        now.appender(), now.waiter(), false, true, now.registering(), now.registered(), now.told()));
            }
            if (now.registering()) {
                next.add(new State(
                        now.appender(), now.waiter(), now.publishing(), now.published(), false, true, now.told()));
            }
            appender(now, next);
            waiter(now, next);
            return next;
        }

        private void appender(State now, List<State> next) {
            switch (now.appender()) {
                case 0 -> next.add(appender(now, 1, true, now.told()));
                case 1 -> {
                    if (!appenderFence || !now.publishing()) { // a fence waits for its store to drain
                        next.add(appender(now, 2, now.publishing(), now.told()));
                    }
                }
                case 2 -> next.add(appender(now, APPENDER_DONE, now.publishing(), now.registered()));
                default -> {}
            }
        }

        private static State appender(State now, int step, boolean publishing, boolean told) {
            return new State(
                    step, now.waiter(), publishing, now.published(), now.registering(), now.registered(), told);
        }

        private void waiter(State now, List<State> next) {
            switch (now.waiter()) {
                case 0 -> next.add(waiter(now, now.published() ? WAITER_ANSWERED : 1, false));
                case 1 -> next.add(waiter(now, 2, true));
                case 2 -> {
                    if (!waiterFence || !now.registering()) {
                        next.add(waiter(now, 3, now.registering()));
                    }
                }
                case 3 -> {
                    boolean sees = secondLook && now.published();
                    next.add(waiter(now, sees ? WAITER_ANSWERED : WAITER_SLEEPS, now.registering()));
                }
                default -> {}
            }
        }

        private static State waiter(State now, int step, boolean registering) {
            return new State(
                    now.appender(), step, now.publishing(), now.published(), registering, now.registered(), now.told());
        }
    }
}
