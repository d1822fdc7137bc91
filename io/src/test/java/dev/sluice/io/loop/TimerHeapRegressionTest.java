package dev.sluice.io.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TimerHeapRegressionTest {
    private long nowNs = 1_000;
    private final TimerHeap heap = new TimerHeap(() -> nowNs);
    private final List<String> ran = new ArrayList<>();

    @Test
    void anActionThatSetsItselfAgainAtOnceWaitsForTheNextRoundThoughTheClockStandsStill() {
        Timer[] again = new Timer[1];
        again[0] = new Timer(heap, () -> {
            ran.add("again");
            again[0].set(0);
        });
        again[0].set(0);

        heap.runDue();
        assertThat(ran).containsExactly("again");
        assertThat(heap.untilNextNs()).isZero();
        heap.runDue();
        assertThat(ran).containsExactly("again", "again");
    }

    @Test
    void oneThatSetsItselfAgainKeepsNoneThatIsDueFromItsTurn() {
        Timer[] again = new Timer[1];
        again[0] = new Timer(heap, () -> {
            ran.add("again");
            again[0].set(0);
        });
        Timer due = new Timer(heap, () -> ran.add("due"));
        again[0].set(0);
        due.set(10);
        nowNs += 10;

        heap.runDue();
        assertThat(ran).containsExactly("again", "due");
    }

    @Test
    void theLongestDelayLiesInTheFuture() {
        new Timer(heap, () -> ran.add("never")).set(Long.MAX_VALUE);

        heap.runDue();
        assertThat(ran).isEmpty();
        assertThat(heap.untilNextNs()).isGreaterThan(1L << 60);
    }
}
