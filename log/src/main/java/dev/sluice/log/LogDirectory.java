package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;

/// A data folder: the partitions' logs in it, its lock, its checkpoints. (Skeleton: shapes only.)
public final class LogDirectory implements AutoCloseable {
    /// How a folder is opened, beyond what its partitions are like.
    ///
    /// @param recoveryThreads  partitions recovered at a time
    /// @param openSegmentFiles sealed segments whose files are kept open after their last reader, in the whole folder
    /// @param engine           how bytes get into the segments
    /// @param ids              new random ids, for the folder and for what is being deleted
    public record Options(
            int recoveryThreads, int openSegmentFiles, SegmentWriter.Engine engine, Supplier<UUID> ids) {
        public static Options standard() {
            throw new UnsupportedOperationException();
        }
    }

    private LogDirectory() {}

    /// @param configOf a topic's configuration, asked at opening for every topic found
    /// @param segments parent of the partitions' accounts
    public static LogDirectory open(
            Kernel kernel,
            Path folder,
            Identity identity,
            Function<String, LogConfig> configOf,
            InstantSource clock,
            Account segments,
            Options options)
            throws IOException {
        throw new UnsupportedOperationException();
    }

    /// With [Options#standard] and one configuration for all topics.
    public static LogDirectory open(
            Kernel kernel, Path folder, Identity identity, LogConfig config, InstantSource clock, Account segments)
            throws IOException {
        return open(kernel, folder, identity, _ -> config, clock, segments, Options.standard());
    }

    public Path folder() {
        throw new UnsupportedOperationException();
    }

    /// `directory.id` of meta.properties.
    public UUID id() {
        throw new UnsupportedOperationException();
    }

    public RecoveryReport recoveryReport() {
        throw new UnsupportedOperationException();
    }

    public PartitionLog create(String topic, int partition, UUID topicId, LogConfig config) throws IOException {
        throw new UnsupportedOperationException();
    }

    public void delete(PartitionLog log) throws IOException {
        throw new UnsupportedOperationException();
    }

    public Collection<PartitionLog> logs() {
        throw new UnsupportedOperationException();
    }

    public Optional<PartitionLog> log(String topic, int partition) {
        throw new UnsupportedOperationException();
    }

    /// What a broker calls now and then (Kafka: every minute), on a thread that may block: flushes sealed segments,
    /// forgets expired producers, lets go of the descriptors and maps of partitions that rest, writes the checkpoints.
    public void checkpoint() throws IOException {
        throw new UnsupportedOperationException();
    }

    /// Flushes, trims, checkpoints, and leaves the marker of a clean shutdown.
    @Override
    public void close() throws IOException {
        throw new UnsupportedOperationException();
    }
}
