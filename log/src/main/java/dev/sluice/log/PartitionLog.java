package dev.sluice.log;

import dev.sluice.io.linux.Account;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/// The log of one partition. (Skeleton: shapes only.)
public final class PartitionLog {
    private PartitionLog() {}

    public String topic() {
        throw new UnsupportedOperationException();
    }

    public int partition() {
        throw new UnsupportedOperationException();
    }

    /// The topic's id, or empty for a folder that had no `partition.metadata`.
    public Optional<UUID> topicId() {
        throw new UnsupportedOperationException();
    }

    /// Writes `partition.metadata` for a log that has none.
    public void assignTopicId(UUID topicId) throws IOException {
        throw new UnsupportedOperationException();
    }

    public LogConfig config() {
        throw new UnsupportedOperationException();
    }

    /// Takes effect with the next append.
    public void configure(LogConfig config) {
        throw new UnsupportedOperationException();
    }

    public AppendOutcome append(BatchView batch) {
        throw new UnsupportedOperationException();
    }

    public ReadOutcome read(long offset, int maxBytes, boolean atLeastOneBatch) throws IOException {
        throw new UnsupportedOperationException();
    }

    public long logStartOffset() {
        throw new UnsupportedOperationException();
    }

    public long logEndOffset() {
        throw new UnsupportedOperationException();
    }

    public long highWatermark() {
        return logEndOffset();
    }

    public int leaderEpoch() {
        throw new UnsupportedOperationException();
    }

    /// The epoch that `offset` was written in, -1 if not known.
    public int leaderEpochOf(long offset) {
        throw new UnsupportedOperationException();
    }

    public Optional<TimestampedOffset> offsetForTimestamp(long timestampMs, BatchCodec codec) throws IOException {
        throw new UnsupportedOperationException();
    }

    public Optional<TimestampedOffset> offsetOfMaxTimestamp(BatchCodec codec) throws IOException {
        throw new UnsupportedOperationException();
    }

    public void addListener(AppendListener listener) {
        throw new UnsupportedOperationException();
    }

    public void removeListener(AppendListener listener) {
        throw new UnsupportedOperationException();
    }

    public Account account() {
        throw new UnsupportedOperationException();
    }

    public long bytesOnDisk() {
        throw new UnsupportedOperationException();
    }

    public void flush() throws IOException {
        throw new UnsupportedOperationException();
    }
}
