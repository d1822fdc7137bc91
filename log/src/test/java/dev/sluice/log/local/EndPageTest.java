package dev.sluice.log.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Futexes;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Sleeping on the page of ends: nobody sleeps on news. The reader's map of it is read-only, as it is in life.
@Timeout(180)
class EndPageTest {
    private static final long PATIENCE_NS = 30_000_000_000L;
    private static final int SLOT = 5;

    private final Kernel kernel = new Kernel();
    private final Futexes futexes = kernel.futexes();
    private Descriptor endFile;
    private Descriptor waitingFile;
    private Mapping brokers;
    private Mapping readers;
    private Mapping waiting;
    private EndPage published;
    private EndPage seen;

    @BeforeEach
    void share() throws Exception {
        endFile = kernel.memoryFiles().create("ends", kernel.account()).orThrow();
        waitingFile = kernel.memoryFiles().create("waiting", kernel.account()).orThrow();
        kernel.files().ftruncate(endFile, EndPage.BYTES);
        kernel.files().ftruncate(waitingFile, EndPage.BYTES);
        brokers = Mapping.ofFile(kernel, endFile, 0, EndPage.BYTES, true);
        readers = Mapping.ofFile(kernel, endFile, 0, EndPage.BYTES, false);
        waiting = Mapping.ofFile(kernel, waitingFile, 0, EndPage.BYTES, true);
        published = new EndPage(brokers.segment());
        published.begin();
        seen = new EndPage(readers.segment());
    }

    @AfterEach
    void letGo() {
        brokers.close();
        readers.close();
        waiting.close();
        endFile.close();
        waitingFile.close();
    }

    @Test
    void whatIsPublishedIsSeenInItsSlotAlone() {
        published.publish(SLOT, 100, 40, 4711, 7);
        published.slotState(SLOT, EndPage.SLOT_DELETED);
        assertThat(seen.isValid()).isTrue();
        assertThat(seen.highWatermark(SLOT)).isEqualTo(100);
        assertThat(seen.baseOffset(SLOT)).isEqualTo(40);
        assertThat(seen.endPosition(SLOT)).isEqualTo(4711);
        assertThat(seen.logStartOffset(SLOT)).isEqualTo(7);
        assertThat(seen.isDeleted(SLOT)).isTrue();
        for (int other : new int[] {0, SLOT - 1, SLOT + 1, EndPage.SLOTS - 1}) {
            assertThat(seen.highWatermark(other)).isZero();
            assertThat(seen.isDeleted(other)).isFalse();
        }
        assertThat(seen.isStopped()).isFalse();
    }

    @Test
    void whoLooksBeforeTheNewsAndSleepsAfterItDoesNotSleep() {
        int changes = seen.beginWaiting(waiting.segment());
        assertThat(seen.highWatermark(SLOT)).isZero(); // nothing, so it is about to sleep

        published.publish(SLOT, 1, 0, 70, 0);
        assertThat(EndPage.takeWaiting(waiting.segment())).isTrue();
        published.raiseChanges();
        assertThat(futexes.wake(published.changesWord(), 1)).isZero(); // nobody sleeps yet

        assertThat(futexes.await(seen.changesWord(), changes, PATIENCE_NS)).isEqualTo(-Errno.EAGAIN);
    }

    /// A broker that publishes what the reader sees at once, and comes to wake it when the reader waits for the
    /// next.
    @Test
    void whoWaitsAgainBeforeALateBrokerHasComeIsStillWoken() {
        seen.beginWaiting(waiting.segment());
        published.publish(SLOT, 1, 0, 70, 0);
        assertThat(seen.highWatermark(SLOT)).isEqualTo(1);

        int changes = seen.beginWaiting(waiting.segment());
        assertThat(EndPage.takeWaiting(waiting.segment())).isTrue();
        published.raiseChanges();

        assertThat(futexes.await(seen.changesWord(), changes, PATIENCE_NS)).isEqualTo(-Errno.EAGAIN);
    }

    @Test
    void theControlWhoLooksAtChangesBehindTheAnnouncementSleepsOnAndIsNotWokenForTheNext() {
        seen.beginWaiting(waiting.segment());
        published.publish(SLOT, 1, 0, 70, 0);

        seen.beginWaiting(waiting.segment());
        assertThat(EndPage.takeWaiting(waiting.segment())).isTrue();
        published.raiseChanges();
        int changes = published.changesWord().get(ValueLayout.JAVA_INT, 0);

        published.publish(SLOT, 2, 0, 140, 0);
        assertThat(EndPage.takeWaiting(waiting.segment())).isFalse();
        assertThat(futexes.await(seen.changesWord(), changes, 1_000_000)).isEqualTo(-Errno.ETIMEDOUT);
    }

    @Test
    void theControlWithoutRaisingTheWordItSleepsOnTheNews() {
        int changes = seen.beginWaiting(waiting.segment());

        published.publish(SLOT, 1, 0, 70, 0);
        assertThat(EndPage.takeWaiting(waiting.segment())).isTrue();
        futexes.wake(published.changesWord(), 1);

        assertThat(futexes.await(seen.changesWord(), changes, 1_000_000)).isEqualTo(-Errno.ETIMEDOUT);
    }

    @Test
    void nobodyIsWokenWhoDoesNotWait() {
        assertThat(EndPage.takeWaiting(waiting.segment())).isFalse();
        seen.beginWaiting(waiting.segment());
        EndPage.endWaiting(waiting.segment());
        assertThat(EndPage.takeWaiting(waiting.segment())).isFalse();
    }

    /// Two threads, each of which goes on when the other has: a wake-up that is lost ends in a time-out.
    @Test
    void noWakeUpIsLostInManyRounds() throws Exception {
        int rounds = 20_000;
        try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
            Future<Long> reading = threads.submit(() -> {
                long position = 0;
                while (position < rounds) {
                    int changes = seen.beginWaiting(waiting.segment());
                    long end = seen.highWatermark(SLOT);
                    if (end > position) {
                        assertThat(end).isEqualTo(position + 1);
                        position = end;
                        seen(position);
                    } else {
                        assertThat(futexes.await(seen.changesWord(), changes, PATIENCE_NS))
                                .isNotEqualTo(-Errno.ETIMEDOUT);
                    }
                }
                return position;
            });
            for (int i = 1; i <= rounds && !reading.isDone(); i++) {
                published.publish(SLOT, i, 0, i, 0);
                if (EndPage.takeWaiting(waiting.segment())) {
                    published.raiseChanges();
                    futexes.wake(published.changesWord(), 1);
                }
                while (lastSeen < i && !reading.isDone()) {
                    Thread.onSpinWait();
                }
            }
            assertThat(reading.get()).isEqualTo(rounds);
        }
    }

    /// Written by the reading thread, waited for by the publishing one.
    private volatile long lastSeen;

    private void seen(long position) {
        lastSeen = position;
    }
}
