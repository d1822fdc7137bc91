package dev.sluice.cli;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/// Counts what the broker acknowledged, and keeps the first failure. One object for all records: a callback each would
/// be garbage by the million.
///
/// Written by the producer's own thread, and by the sending thread when the client refuses a record; read by any.
final class Acknowledgements implements Callback {
    private final AtomicLong records = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicReference<@Nullable Exception> firstFailure = new AtomicReference<>();

    @Override
    public void onCompletion(@Nullable RecordMetadata metadata, @Nullable Exception failure) {
        if (failure != null) {
            firstFailure.compareAndSet(null, failure);
        } else if (metadata != null) {
            records.incrementAndGet();
            bytes.addAndGet(Math.max(0, metadata.serializedKeySize()) + Math.max(0, metadata.serializedValueSize()));
        }
    }

    long records() {
        return records.get();
    }

    /// Bytes of keys and values.
    long bytes() {
        return bytes.get();
    }

    @Nullable Exception firstFailure() {
        return firstFailure.get();
    }
}
