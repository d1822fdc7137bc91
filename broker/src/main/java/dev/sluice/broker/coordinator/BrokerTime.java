package dev.sluice.broker.coordinator;

import java.time.InstantSource;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/// The broker's clock, as Kafka wants it. Only the time of day is handed in: the monotonic clock is the machine's, for
/// that is what the coordinator's timer runs by.
record BrokerTime(InstantSource clock) implements Time {
    @Override
    public long milliseconds() {
        return clock.millis();
    }

    @Override
    public long nanoseconds() {
        return System.nanoTime();
    }

    @Override
    public void sleep(long ms) {
        Time.SYSTEM.sleep(ms);
    }

    @Override
    public void waitObject(Object monitor, Supplier<Boolean> condition, long deadlineMs) throws InterruptedException {
        Time.SYSTEM.waitObject(monitor, condition, deadlineMs);
    }
}
