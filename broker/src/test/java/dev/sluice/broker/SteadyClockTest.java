package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A clock that is set forward is not believed for a while; see [RetentionTest] for what that saves.
@Timeout(180)
class SteadyClockTest {
    private static final Duration MONTH = Duration.ofDays(30);
    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration CHECK = Duration.ofMinutes(5);

    private long wallMs = 1_700_000_000_000L;
    private long monotonicNs = -5;
    private SteadyClock clock = clock(DAY);

    private SteadyClock clock(Duration hold) {
        return new SteadyClock(() -> Instant.ofEpochMilli(wallMs), () -> monotonicNs, hold.toMillis());
    }

    private void pass(Duration time) {
        wallMs += time.toMillis();
        monotonicNs += time.toNanos();
    }

    private void set(Duration by) {
        wallMs += by.toMillis();
    }

    private void assertBelieved() {
        assertThat(clock.nowMs()).isEqualTo(OptionalLong.of(wallMs));
    }

    private void assertInDoubt() {
        assertThat(clock.nowMs()).isEmpty();
    }

    @Test
    void aClockThatPassesIsBelieved() {
        for (int i = 0; i < 1000; i++) {
            pass(CHECK);
            set(Duration.ofMillis(i % 2 == 0 ? 200 : -150)); // being kept right
            assertBelieved();
        }
        pass(MONTH);
        assertBelieved();
    }

    @Test
    void aClockSetForwardIsInDoubtForAWhile() {
        set(MONTH);
        assertInDoubt();
        pass(DAY.minus(CHECK));
        assertInDoubt();
        pass(CHECK);
        assertBelieved();
        pass(CHECK);
        assertBelieved();
    }

    @Test
    void aClockThatIsSetBackIsBelievedAtOnce() {
        set(MONTH);
        assertInDoubt();
        pass(Duration.ofHours(3));
        set(MONTH.negated());
        assertBelieved();
        set(MONTH);
        assertInDoubt();
    }

    @Test
    void aClockThatWasBehindAndIsSetRightIsBelieved() {
        set(MONTH.negated());
        assertBelieved();
        pass(CHECK);
        set(MONTH);
        assertBelieved();
    }

    @Test
    void aMachineThatSleepsEveryNightIsNotInDoubtForEver() {
        int believed = 0;
        for (int day = 0; day < 10; day++) {
            set(Duration.ofHours(12)); // asleep: the monotonic clock stands still
            for (int i = 0; i < 12 * 12; i++) {
                pass(CHECK);
                believed += clock.nowMs().isPresent() ? 1 : 0;
            }
        }
        assertThat(believed).isPositive();
    }

    @Test
    void withoutAHoldEveryClockIsBelieved() {
        clock = clock(Duration.ZERO);
        set(MONTH);
        assertBelieved();
    }
}
