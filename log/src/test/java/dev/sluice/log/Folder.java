package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import dev.sluice.testkit.ManualTime;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// A data folder under test: opened, ended in one of the ways that a broker ends, opened again. Closing it fails the
/// test if a descriptor or a map is left.
final class Folder implements AutoCloseable {
    static final Identity IDENTITY = new Identity("MkU3OEVBNTcwNTJENDM2Qk", 1);
    static final UUID TOPIC_ID = new UUID(0x1234_5678_9abcL, 42);

    final Path path;
    final Faults faults = new Faults();
    final Kernel kernel = new Kernel(faults);
    final Account account = Account.root("segments");
    private final Random ids = new Random(7);

    LogConfig config = LogConfig.DEFAULT.withSegmentBytes(1 << 20).withIndexBytes(64 << 10);
    LogDirectory.Options options = new LogDirectory.Options(2, 16, engine(), this::randomId, Folder::atOnce);
    long nowMs = Batches.T0;
    private LogDirectory directory;

    Folder(Path path) {
        this.path = path.toAbsolutePath();
    }

    /// What [OnEveryEngineTest] changes for the tests in it.
    enum EngineUnderTest {
        PWRITE,
        MAPPED,
        DIRECT
    }

    static EngineUnderTest engineUnderTest = EngineUnderTest.PWRITE;

    /// What the engine has open in a folder where one partition is appended to.
    static int engineDescriptors() {
        return engineUnderTest == EngineUnderTest.DIRECT ? 2 : 0; // its lock, and the segment once more
    }

    static SegmentWriter.Engine engine() {
        return engine(false);
    }

    /// The same, for tests that spoil the end of a file: it has no padding when the folder is let go of.
    static SegmentWriter.Engine unpaddedEngine() {
        return engine(true);
    }

    private static SegmentWriter.Engine engine(boolean unpads) {
        return switch (engineUnderTest) {
            case PWRITE -> SegmentWriter.pwrite();
            case MAPPED -> unpads ? AwaitedEngine.unpadding(SegmentWriter.mapped()) : SegmentWriter.mapped();
            case DIRECT -> {
                SegmentWriter.Engine small = SegmentWriter.direct(
                        new DirectOptions(DirectOptions.LEAST_POOL_BYTES, QueueConfig.Engine.BEST));
                yield unpads ? AwaitedEngine.unpadding(small) : AwaitedEngine.of(small);
            }
        };
    }

    /// Flushes and ceilings done by the thread that asks for them, so that what was appended can be read.
    static Flushing atOnce() {
        return flushing(new ManualTime(true));
    }

    /// What is left to other threads, in a test's hands.
    static Flushing flushing(ManualTime time) {
        return new Flushing(time, time::nanoTime);
    }

    private UUID randomId() {
        return new UUID(ids.nextLong(), ids.nextLong());
    }

    InstantSource clock() {
        return () -> Instant.ofEpochMilli(nowMs);
    }

    LogDirectory open() throws IOException {
        directory = LogDirectory.open(kernel, path, IDENTITY, _ -> config, clock(), account, options);
        return directory;
    }

    LogDirectory directory() {
        return directory;
    }

    PartitionLog create(String topic, int partition) throws IOException {
        if (directory == null) {
            open();
        }
        return directory.create(topic, partition, TOPIC_ID, config);
    }

    PartitionLog log(String topic, int partition) {
        return directory.log(topic, partition).orElseThrow();
    }

    /// The process dies: nothing is flushed, trimmed or marked. Answers the same partition after the restart.
    PartitionLog crash(PartitionLog log) throws IOException {
        directory.abandon();
        open();
        return log(log.topic(), log.partition());
    }

    /// As if the offsets of what is lost had been seen by nobody.
    void forgetCeilings() {
        path.resolve(Ceilings.FILE).toFile().delete();
    }

    /// As if the machine had been started anew since.
    void forgetPageCache() {
        path.resolve(PageCacheWitness.FILE).toFile().delete();
    }

    /// A clean restart.
    PartitionLog restart(PartitionLog log) throws IOException {
        directory.close();
        open();
        return log(log.topic(), log.partition());
    }

    RecoveryReport.Partition report(PartitionLog log) {
        return directory.recoveryReport().partitions().stream()
                .filter(each -> each.name().equals(log.toString()))
                .findFirst()
                .orElseThrow();
    }

    /// The base offsets of the segments that a partition has on the disk.
    List<Long> bases(String topic, int partition) throws IOException {
        return SmallFiles.list(path.resolve(topic + "-" + partition)).stream()
                .map(SegmentFiles::parse)
                .flatMap(Optional::stream)
                .filter(name -> name.suffix().equals(SegmentFiles.LOG))
                .map(SegmentFiles.Name::baseOffset)
                .sorted()
                .toList();
    }

    Path file(PartitionLog log, long baseOffset, String suffix) {
        return SegmentFiles.of(path.resolve(log.toString()), baseOffset, suffix);
    }

    /// Sends a span as a socket would take it, and releases it.
    byte[] take(ReadOutcome outcome) {
        assertThat(outcome).isInstanceOf(ReadOutcome.Found.class);
        Span span = ((ReadOutcome.Found) outcome).span();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(Math.max(1, span.lengthBytes()));
            long read = kernel.files().preadFully(span.file(), bytes.asSlice(0, span.lengthBytes()), span.position());
            assertThat(read).isEqualTo(span.lengthBytes());
            return bytes.asSlice(0, read).toArray(ValueLayout.JAVA_BYTE);
        } finally {
            span.hold().release();
        }
    }

    byte[] read(PartitionLog log, long offset, int maxBytes) throws IOException {
        return take(log.read(offset, maxBytes, true));
    }

    static long append(PartitionLog log, Batches batch) {
        return append(log, batch.view());
    }

    /// @return the base offset that it got
    static long append(PartitionLog log, BatchView batch) {
        assertThat(log.append(batch)).isEqualTo(AppendOutcome.APPENDED);
        return batch.baseOffset();
    }

    static void assertAppended(@Nullable AppendOutcome outcome, BatchView batch, long baseOffset, long lastOffset) {
        assertThat(outcome).isEqualTo(AppendOutcome.APPENDED);
        assertThat(batch.baseOffset()).isEqualTo(baseOffset);
        assertThat(batch.lastOffset()).isEqualTo(lastOffset);
    }

    @Override
    public void close() throws IOException {
        if (directory != null) {
            directory.close();
        }
        assertThat(OpenHandles.descriptors(path)).as("descriptors left").isEmpty();
        assertThat(OpenHandles.maps(path)).as("maps left").isEmpty();
    }

    static final int READ_ONLY = Files.O_RDONLY;
}
