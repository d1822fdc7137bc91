package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.junit.jupiter.api.Test;

class SplitWatchTest {
    private final AtomicLong splits = new AtomicLong();
    private final Acknowledgements acknowledged = new Acknowledgements();
    private final AtomicBoolean stopped = new AtomicBoolean();
    private final SplitWatch watch = new SplitWatch(splits::get, acknowledged, () -> stopped.set(true));

    @Test
    void splittingWithoutEndOrAcknowledgementIsEndedWithTheReason() {
        assertThat(watch.look()).isFalse();
        splits.set(5_000);
        assertThat(watch.look()).isTrue();
        assertThat(stopped).isTrue();
        assertThat(acknowledged.firstFailure()).isInstanceOf(RecordTooLargeException.class);
    }

    @Test
    void splittingThatGetsRecordsThroughGoesOn() {
        for (int i = 1; i <= 100; i++) {
            splits.addAndGet(5_000);
            acknowledged.onCompletion(new RecordMetadata(new TopicPartition("t", 0), 0, 0, 0, 0, 1), null);
            assertThat(watch.look()).isFalse();
        }
        assertThat(stopped).isFalse();
    }

    @Test
    void aFewSplitsAreEveryday() {
        splits.set(100);
        assertThat(watch.look()).isFalse();
        assertThat(watch.look()).isFalse();
    }
}
