package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BatchRingTest {
    private static final long BASE = 1000;

    @Test
    void anEmptyRingKnowsNothing() {
        assertThat(new BatchRing(BASE).find(BASE, 0)).isNull();
    }

    @Test
    void theNewestBatchesAreFoundByAnyOfTheirOffsets() {
        BatchRing ring = new BatchRing(BASE);
        ring.add(BASE, 0);
        ring.add(BASE + 5, 100);
        ring.add(BASE + 6, 170);

        assertThat(ring.find(BASE, 300)).isEqualTo(new BatchPlace(BASE, 0, 100));
        assertThat(ring.find(BASE + 4, 300)).isEqualTo(new BatchPlace(BASE, 0, 100));
        assertThat(ring.find(BASE + 5, 300)).isEqualTo(new BatchPlace(BASE + 5, 100, 70));
        assertThat(ring.find(BASE + 60, 300)).isEqualTo(new BatchPlace(BASE + 6, 170, 130));
    }

    @Test
    void olderBatchesAreForgottenNotMistaken() {
        BatchRing ring = new BatchRing(BASE);
        int batches = 3 * BatchRing.SIZE + 7;
        for (int i = 0; i < batches; i++) {
            ring.add(BASE + 2L * i, 10 * i);
        }
        int found = 0;
        for (int i = 0; i < batches; i++) {
            BatchPlace place = ring.find(BASE + 2L * i + 1, 10 * batches);
            if (place != null) {
                assertThat(place).isEqualTo(new BatchPlace(BASE + 2L * i, 10 * i, 10));
                found++;
            }
        }
        assertThat(found).isEqualTo(BatchRing.SIZE - 1);
    }

    /// Batches of one record and 10 bytes: where a batch lies follows from its offset, so that any wrong answer
    /// shows.
    @Test
    void aReaderThatIsOvertakenGetsNoWrongAnswer() throws InterruptedException {
        BatchRing ring = new BatchRing(0);
        AtomicLong published = new AtomicLong();
        AtomicBoolean done = new AtomicBoolean();
        List<String> wrong = java.util.Collections.synchronizedList(new ArrayList<>());
        AtomicLong answers = new AtomicLong();
        Thread reader = Thread.ofPlatform().start(() -> {
            while (!done.get() || answers.get() == 0) {
                long end = published.get();
                if (end == 0) {
                    continue;
                }
                long offset = Math.max(0, end - 1 - ThreadLocalRandom.current().nextInt(BatchRing.SIZE + 8));
                BatchPlace place = ring.find(offset, (int) (10 * end));
                if (place != null) {
                    answers.incrementAndGet();
                    if (!place.equals(new BatchPlace(offset, (int) (10 * offset), 10))) {
                        wrong.add("offset " + offset + " of " + end + ": " + place);
                    }
                }
            }
        });
        for (long i = 0; i < 20_000_000; i++) {
            ring.add(i, (int) (10 * i));
            published.setRelease(i + 1);
        }
        done.set(true);
        reader.join();

        assertThat(wrong).isEmpty();
    }
}
