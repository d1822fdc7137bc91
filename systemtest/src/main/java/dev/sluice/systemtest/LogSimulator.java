package dev.sluice.systemtest;

import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.AwaitedEngine;
import dev.sluice.log.BatchBuilder;
import dev.sluice.log.BatchGroup;
import dev.sluice.log.BatchView;
import dev.sluice.log.CheckReport;
import dev.sluice.log.DirectOptions;
import dev.sluice.log.DirectoryCheck;
import dev.sluice.log.FlushPolicy;
import dev.sluice.log.Flushing;
import dev.sluice.log.Identity;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import dev.sluice.log.SegmentWriter;
import dev.sluice.testkit.Anomaly;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.History;
import dev.sluice.testkit.ManualTime;
import dev.sluice.testkit.NumberedRecord;
import dev.sluice.testkit.VirtualDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/// One partition's log on a [VirtualDisk], driven by a seed: appends, flushes, deletions, checkpoints, clean restarts,
/// deaths of the process and power cuts. At every moment at which the disk changes, states that a power cut could leave
/// are made, recovered by the real code, and held against what was promised by then, and the recovery after a crash is
/// part of what is interrupted.
///
/// What must hold in each state:
/// - it opens, and every batch in it is whole;
/// - everything is there that was flushed, and no record stands elsewhere than it was acknowledged, or twice;
/// - what was deleted stays deleted;
/// - no offset that anybody has seen stands for another record, now or with the next append;
/// - after a clean end `sluice check` finds nothing lost.
///
/// The same seed does the same, for each engine. With [Engine#PWRITE] those of even seeds fill files with zeros ahead
/// of their ends from the start, where others are too short for it. Seeds that are multiples of three append several
/// batches by one write now and then. With [Engine#DIRECT] the run writes by direct I/O,
/// and the states are recovered by a broker without it, as whoever starts next may be. Owned by one thread; the
/// engine's make their calls while that waits.
final class LogSimulator {
    private static final Identity IDENTITY = new Identity("MkU3OEVBNTcwNTJENDM2Qk", 1);
    private static final UUID TOPIC_ID = new UUID(1, 2);
    private static final String TOPIC = "t";
    private static final int PRODUCER = 1;
    private static final int AFTERWARDS = 99;
    private static final int ACTIONS = 60;
    private static final int READ_BYTES = 1 << 20;
    /// Seeds that are multiples of it append several batches by one write.
    private static final int TOGETHER_EVERY = 3;

    private static final int MOST_TOGETHER = 4;
    /// One state of so many is also closed cleanly and checked.
    private static final int CHECK_EVERY = 8;

    /// What the run writes by.
    enum Engine {
        PWRITE,
        DIRECT
    }

    /// What was found.
    ///
    /// @param moments at which crash states were made
    /// @param states  recovered and held against the promises
    /// @param crashes after which the run went on
    record Outcome(long seed, int moments, int states, int crashes, List<String> failures) {}

    private final Path work;
    private final Path worldsIn;
    private final SegmentWriter.Engine engine;
    private final long seed;
    private final Random random;
    private final Random fates;
    /// For what is appended together; of its own, so that all else of a seed is as without.
    private final Random togethers;
    private final int bound;
    private final FlushPolicy policy;
    private final LogConfig config;
    private final GateFaults faults = new GateFaults();
    private long nowMs = 1_700_000_000_000L;

    private Path worldFolder;
    private VirtualDisk disk;
    private Kernel kernel;
    private LogDirectory directory;
    private PartitionLog log;
    private ManualTime threads;
    private int worlds;
    private int statesMade;

    /// What somebody has seen at an offset: it was acknowledged, or could be read.
    private final TreeMap<Long, NumberedRecord> exposed = new TreeMap<>();
    /// Appended, and not shown to anybody yet.
    private final TreeMap<Long, NumberedRecord> hidden = new TreeMap<>();
    /// Seen once, and lost in a power cut since.
    private final TreeMap<Long, NumberedRecord> gone = new TreeMap<>();
    /// All that was seen between the two must be there, whatever happens.
    private long deletedBefore;
    private long flushedBefore;
    private long nextNumber;

    private int moments;
    private int states;
    private int crashes;
    private final List<String> failures = new ArrayList<>();

    private LogSimulator(Path work, Path worldsIn, Engine engine, long seed, int bound, boolean lying) {
        this.work = work;
        this.worldsIn = worldsIn;
        this.engine = engine == Engine.DIRECT
                ? awaitedDirect()
                : seed % 2 == 0 ? SegmentWriter.pwriteFillingFrom(0) : SegmentWriter.pwrite();
        this.seed = seed;
        this.random = new Random(seed);
        this.fates = new Random(seed + 1);
        this.togethers = new Random(seed + 2);
        this.bound = bound;
        this.policy = lying || random.nextBoolean() ? FlushPolicy.ACK : FlushPolicy.OS;
        this.config = LogConfig.DEFAULT
                .withSegmentBytes(1500 + random.nextInt(3000))
                .withIndexIntervalBytes(100 + random.nextInt(500))
                .withPreallocateStepBytes(random.nextBoolean() ? 0 : 4096)
                .withFlushPolicy(policy);
        if (lying) {
            faults.on(Call.FSYNC, Call.FDATASYNC).pretends();
        }
    }

    /// The direct engine for a simulation: on threads, whose calls a gate sees (a ring makes its own), and awaited,
    /// so that the same seed does the same.
    static SegmentWriter.Engine awaitedDirect() {
        return AwaitedEngine.of(
                SegmentWriter.direct(new DirectOptions(DirectOptions.LEAST_POOL_BYTES, QueueConfig.Engine.THREADS)));
    }

    /// Runs one seed.
    ///
    /// @param work     an empty folder, best on a tmpfs, for the states; emptied afterwards
    /// @param worldsIn the same for the run itself: on a file system that knows direct I/O where the engine needs
    ///                 it
    /// @param bound    the most states that are made at one moment
    /// @param lying    whether syncs do nothing: the control, which must fail
    static Outcome run(Path work, Path worldsIn, Engine engine, long seed, int bound, boolean lying)
            throws IOException {
        LogSimulator simulator = new LogSimulator(work, worldsIn, engine, seed, bound, lying);
        try {
            simulator.run();
        } catch (IOException | RuntimeException e) {
            simulator.failures.add("the run itself: " + e);
        } finally {
            simulator.end();
        }
        return new Outcome(
                seed, simulator.moments, simulator.states, simulator.crashes, List.copyOf(simulator.failures));
    }

    private void run() throws IOException {
        newWorld(Files.createDirectory(worldsIn.resolve("world-0")));
        open();
        for (int i = 0; i < ACTIONS && failures.isEmpty(); i++) {
            act();
        }
    }

    private void end() throws IOException {
        disk.tell(null);
        if (directory != null) {
            directory.abandon();
        }
        empty(work);
        empty(worldsIn);
    }

    private static void empty(Path of) throws IOException {
        try (var folders = Files.list(of)) {
            for (Path folder : folders.toList()) {
                VirtualDisk.remove(folder);
            }
        }
    }

    // ---- The run

    private void newWorld(Path folder) {
        disk = new VirtualDisk(folder, faults);
        kernel = new Kernel(disk);
        disk.tell(this::crashStates);
        worldFolder = folder;
    }

    private void open() throws IOException {
        threads = new ManualTime(false);
        directory = open(kernel, worldFolder, engine, threads);
        log = directory.log(TOPIC, 0).orElse(null);
        if (log == null) {
            log = directory.create(TOPIC, 0, TOPIC_ID, config);
            log.flush(); // as a broker does before it tells a client that the topic is there
        }
        disk.settle();
        expose();
    }

    private LogDirectory open(Kernel by, Path folder, SegmentWriter.Engine writing, ManualTime on) throws IOException {
        Random ids = new Random(seed);
        return LogDirectory.open(
                by,
                folder,
                IDENTITY,
                _ -> config,
                () -> Instant.ofEpochMilli(nowMs),
                Account.root("segments"),
                new LogDirectory.Options(
                        1,
                        4,
                        writing,
                        () -> new UUID(ids.nextLong(), ids.nextLong()),
                        () -> new Flushing(on, on::nanoTime)));
    }

    private void act() throws IOException {
        nowMs += random.nextInt(10_000);
        if (random.nextInt(3) > 0) {
            pass(); // else more comes in before the flusher's turn
        }
        int choice = random.nextInt(100);
        if (choice < 62) {
            append();
        } else if (choice < 80) {
            flush();
        } else if (choice < 86) {
            directory.checkpoint();
        } else if (choice < 90) {
            delete();
        } else if (choice < 92) {
            restart();
        } else if (choice < 96) {
            die();
        } else {
            cutPower();
        }
        disk.settle();
    }

    private void append() {
        int together = seed % TOGETHER_EVERY == 0 ? togethers.nextInt(MOST_TOGETHER) : 0;
        if (together == 0) {
            long first = nextNumber;
            BatchView batch = newBatch(random);
            appended(log.append(batch), batch, first, nextNumber);
        } else {
            BatchGroup group = new BatchGroup();
            long[] firsts = new long[together + 2];
            for (int i = 0; i <= together; i++) {
                firsts[i] = nextNumber;
                group.add(newBatch(i == 0 ? random : togethers));
            }
            firsts[together + 1] = nextNumber;
            log.append(group);
            for (int i = 0; i <= together; i++) {
                appended(group.outcome(i), group.batch(i), firsts[i], firsts[i + 1]);
            }
        }
        expose();
    }

    private BatchView newBatch(Random by) {
        int count = 1 + by.nextInt(3);
        BatchBuilder batch = new BatchBuilder();
        for (int i = 0; i < count; i++) {
            int length = NumberedRecord.LEAST_BYTES + by.nextInt(300);
            batch.add(nowMs, null, new NumberedRecord(PRODUCER, nextNumber++).content(length));
        }
        return batch.build();
    }

    /// @param first the number of the batch's first record
    /// @param end   behind that of its last
    private void appended(@Nullable AppendOutcome outcome, BatchView batch, long first, long end) {
        if (outcome != AppendOutcome.APPENDED) {
            throw new IllegalStateException("an append failed without a fault: " + log.failure());
        }
        for (long number = first; number < end; number++) {
            hidden.put(batch.baseOffset() + number - first, new NumberedRecord(PRODUCER, number));
        }
    }

    /// The flushing threads have their turn: under `ack` they flush, and they raise ceilings.
    private void pass() {
        threads.pass(2_000_000_000L);
        disk.settle();
        expose();
    }

    /// What can be read now has been seen.
    private void expose() {
        long shown = log.highWatermark();
        var seen = hidden.headMap(shown, false);
        exposed.putAll(seen);
        seen.clear();
        if (policy == FlushPolicy.ACK) {
            flushedBefore = Math.max(flushedBefore, shown);
        }
    }

    private void flush() throws IOException {
        long end = log.logEndOffset();
        log.flush();
        flushedBefore = end;
        expose();
    }

    private void delete() throws IOException {
        long start = log.logStartOffset();
        long end = log.highWatermark();
        if (end > start) {
            long before = start + random.nextLong(end - start);
            log.deleteBefore(before);
            deletedBefore = before;
        }
    }

    private void restart() throws IOException {
        long end = log.logEndOffset();
        directory.close();
        flushedBefore = end;
        open();
    }

    /// The process dies, the page cache lives on.
    private void die() throws IOException {
        crashes++;
        directory.abandon();
        hidden.clear();
        open();
        int lost = gone.size();
        goOnWithWhatIsThere();
        gone.headMap(deletedBefore, false).clear();
        if (gone.size() > lost) {
            failures.add("offset " + gone.lastKey() + " was lost by the death of the process");
        }
    }

    /// The run goes on in one of the states that a power cut can leave.
    private void cutPower() throws IOException {
        crashes++;
        disk.settle();
        Path next = worldsIn.resolve("world-" + ++worlds);
        disk.crash(VirtualDisk.random(fates), next);
        disk.tell(null);
        directory.abandon();
        VirtualDisk.remove(worldFolder);
        hidden.clear();
        newWorld(next);
        open();
        goOnWithWhatIsThere();
        // What was read from the device is on the device; what recovery cut off may come back.
        flushedBefore = log.highWatermark();
    }

    /// All that can be read now has been seen, and what was seen before and can't be read any more is gone.
    private void goOnWithWhatIsThere() throws IOException {
        TreeMap<Long, NumberedRecord> there = new TreeMap<>();
        readAll(kernel, log, new Shown() {
            @Override
            public void record(long offset, NumberedRecord record) {
                there.put(offset, record);
            }

            @Override
            public void torn(long offset, String what) {
                failures.add("torn at offset " + offset + ": " + what);
            }
        });
        exposed.forEach((offset, record) -> {
            if (!there.containsKey(offset)) {
                gone.put(offset, record);
            }
        });
        exposed.clear();
        exposed.putAll(there);
    }

    // ---- The states

    private void crashStates() {
        moments++;
        int unsynced = disk.unsynced();
        boolean all = unsynced < 31 && 1L << unsynced <= bound;
        long count = all ? 1L << unsynced : bound;
        for (long number = 0; number < count && failures.isEmpty(); number++) {
            VirtualDisk.Fate fate;
            if (all) {
                fate = VirtualDisk.combination(number);
            } else if (number == 0) {
                fate = VirtualDisk.NOTHING;
            } else if (number == 1) {
                fate = VirtualDisk.EVERYTHING;
            } else {
                fate = VirtualDisk.random(fates);
            }
            Path state = work.resolve("state-" + ++statesMade);
            try {
                disk.crash(fate, state);
                states++;
                verify(state);
                VirtualDisk.remove(state);
            } catch (IOException e) {
                failures.add("state " + number + " of moment " + moments + " does not recover: " + e);
            } catch (UncheckedIOException | IllegalStateException e) {
                failures.add("state " + number + " of moment " + moments + ": " + e);
            }
        }
    }

    private void verify(Path state) throws IOException {
        Kernel plain = new Kernel();
        LogDirectory recovered = open(plain, state, SegmentWriter.pwrite(), new ManualTime(false));
        boolean closed = false;
        try {
            PartitionLog found = recovered.log(TOPIC, 0).orElse(null);
            if (found == null) {
                if (!exposed.isEmpty()) {
                    failures.add("at moment " + moments + " the partition is gone");
                }
                return;
            }
            holdAgainstPromises(plain, found);
            if (states % CHECK_EVERY == 0) {
                recovered.close();
                closed = true;
                check(plain, state);
            }
        } finally {
            if (!closed) {
                recovered.abandon();
            }
        }
    }

    private void holdAgainstPromises(Kernel plain, PartitionLog found) throws IOException {
        if (found.logStartOffset() < deletedBefore) {
            failures.add("at moment " + moments + " the log begins at " + found.logStartOffset()
                    + ", and was deleted before " + deletedBefore);
        }
        History history = new History(100);
        History.Reading before = history.reading(0, 0);
        gone.forEach(before::record);
        exposed.forEach((offset, record) -> {
            if (offset >= found.logStartOffset()) {
                history.acknowledged(0, offset, record, 0);
            }
        });
        History.Reading reading = history.reading(0, found.logStartOffset());
        readAll(plain, found, new Shown() {
            @Override
            public void record(long offset, NumberedRecord record) {
                reading.record(offset, record);
            }

            @Override
            public void torn(long offset, String what) {
                reading.torn(offset, what);
            }
        });
        reading.endsAfterCrash(found.logEndOffset(), 0);
        NumberedRecord next = new NumberedRecord(AFTERWARDS, states);
        BatchBuilder batch = new BatchBuilder();
        batch.add(nowMs, null, next.content(NumberedRecord.LEAST_BYTES));
        BatchView built = batch.build();
        if (found.append(built) == AppendOutcome.APPENDED) {
            history.acknowledged(0, built.baseOffset(), next, 0);
        } else {
            failures.add("at moment " + moments + " nothing can be appended after recovery");
        }
        for (Anomaly anomaly : history.anomalies()) {
            if (anomaly.kind() != Anomaly.Kind.LOST
                    || (anomaly.offset() < flushedBefore && anomaly.offset() >= deletedBefore)) {
                failures.add("at moment " + moments + " (flushed before " + flushedBefore + ", recovered "
                        + found.logStartOffset() + " to " + found.logEndOffset() + "): " + anomaly);
            }
        }
    }

    private void check(Kernel plain, Path state) throws IOException {
        CheckReport report = DirectoryCheck.check(plain, state, _ -> config, () -> Instant.ofEpochMilli(nowMs));
        for (CheckReport.Finding finding : report.findings()) {
            if (finding.remedy()
                    == CheckReport.Remedy.NONE) { // an index of a segment that recovery trusted may be wrong
                failures.add("at moment " + moments + ", recovered and closed: " + finding);
            }
        }
    }

    // ---- Reading

    private interface Shown {
        void record(long offset, NumberedRecord record);

        void torn(long offset, String what);
    }

    private static void readAll(Kernel by, PartitionLog from, Shown shown) throws IOException {
        long next = from.logStartOffset();
        while (from.read(next, READ_BYTES, true) instanceof ReadOutcome.Found found) {
            long before = next;
            Span span = found.span();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(span.lengthBytes());
                long read = by.files().preadFully(span.file(), bytes, span.position());
                if (read < bytes.byteSize()) {
                    throw new IOException("of " + span.lengthBytes() + " bytes at " + span.position() + " of "
                            + span.file().name() + ", pread gave " + read);
                }
                next = show(bytes.asByteBuffer(), next, shown);
            } finally {
                span.hold().release();
            }
            if (next == before) {
                shown.torn(next, span.lengthBytes() + " bytes without a whole batch");
                return;
            }
        }
    }

    /// What is no batch at all, by its length or its checksum, is torn as well as one whose records can't be read.
    private static long show(ByteBuffer bytes, long from, Shown shown) {
        long next = from;
        try {
            for (RecordBatch batch : MemoryRecords.readableRecords(bytes).batches()) {
                batch.ensureValid();
                for (Record record : batch) {
                    if (record.offset() >= from) {
                        show(record, shown);
                    }
                }
                next = batch.nextOffset();
            }
        } catch (CorruptRecordException | InvalidRecordException e) {
            shown.torn(next, e.getMessage());
        }
        return next;
    }

    private static void show(Record record, Shown shown) {
        try {
            shown.record(record.offset(), NumberedRecord.of(record.value()));
        } catch (IllegalArgumentException e) {
            shown.torn(record.offset(), e.getMessage());
        }
    }
}
