package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// A data folder: the partitions' logs in it, its lock, its checkpoints. The layout is Kafka's;
/// `docs/formats/log-directory.md` draws it.
///
/// ```
///   open: lock → whose is it → marker of a clean end read and removed → partitions loaded, in parallel → open
///   close: each log flushed, trimmed, closed → checkpoints → marker → unlock
/// ```
///
/// One process has it open at a time, kept out by a lock on `.lock` that Kafka respects too. Thread-safe: logs are
/// looked up without a lock; creating, deleting, checkpointing and closing wait for each other and for the disk.
public final class LogDirectory implements AutoCloseable {
    /// How a folder is opened, beyond what its partitions are like.
    ///
    /// @param recoveryThreads  partitions recovered at a time
    /// @param openSegmentFiles files of sealed segments that are kept open after their last reader, in the whole
    ///     folder
    /// @param engine           how bytes get into the segments; started for the folder, and closed with it
    /// @param ids              new random ids, for the folder and for what is being deleted
    /// @param reserveBytes     disk space kept for what must be written on a full disk too, at most a 64th of the
    ///     file system; 0 for none
    /// @param flushing         where appends are flushed; asked once, and ended with the folder
    public record Options(
            int recoveryThreads,
            int openSegmentFiles,
            SegmentWriter.Engine engine,
            Supplier<UUID> ids,
            long reserveBytes,
            Supplier<Flushing> flushing) {
        /// @throws IllegalArgumentException naming the value that can't be
        public Options {
            if (recoveryThreads < 1) {
                throw new IllegalArgumentException(
                        "recoveryThreads is " + recoveryThreads + ", and must be at least 1");
            }
            if (openSegmentFiles < 0) {
                throw new IllegalArgumentException(
                        "openSegmentFiles is " + openSegmentFiles + ", and must be at least 0");
            }
        }

        /// Without a reserve.
        public Options(
                int recoveryThreads,
                int openSegmentFiles,
                SegmentWriter.Engine engine,
                Supplier<UUID> ids,
                Supplier<Flushing> flushing) {
            this(recoveryThreads, openSegmentFiles, engine, ids, 0, flushing);
        }

        /// Without a reserve, and with [#FLUSH_THREADS] for flushing.
        public Options(int recoveryThreads, int openSegmentFiles, SegmentWriter.Engine engine, Supplier<UUID> ids) {
            this(recoveryThreads, openSegmentFiles, engine, ids, () -> Flushing.on(FLUSH_THREADS));
        }

        /// Two recovery threads (Kafka's default), 1,024 open files at rest, writing by pwrite, random ids, no
        /// reserve.
        public static Options standard() {
            return new Options(2, 1024, SegmentWriter.pwrite(), UUID::randomUUID);
        }

        /// With so many threads that load partitions at the start.
        ///
        /// @throws IllegalArgumentException when there is none
        public Options withRecoveryThreads(int count) {
            return new Options(count, openSegmentFiles, engine, ids, reserveBytes, flushing);
        }

        /// With another engine, which is not started yet.
        public Options withEngine(SegmentWriter.Engine newEngine) {
            return new Options(recoveryThreads, openSegmentFiles, newEngine, ids, reserveBytes, flushing);
        }

        /// With a reserve for what must be written on a full disk too; 0 for none.
        public Options withReserveBytes(long bytes) {
            return new Options(recoveryThreads, openSegmentFiles, engine, ids, bytes, flushing);
        }
    }

    /// Partitions that are made, or flushed for the end, at a time. Waits for the device, not for a processor:
    /// 1,000 small files took 2.3 s on one thread, 0.8 on two, 0.2 on eight (ext4).
    private static final int SYNCING_THREADS = 8;

    /// From so many on, folders of which most need no wait any more are synced side by side.
    private static final int MANY = 16;

    /// Partitions flushed at a time for their appends: they wait for the device too.
    private static final int FLUSH_THREADS = 8;

    /// How long the end waits for a flush under way: it does not write, so nobody else is in danger from it.
    private static final long FLUSH_END_MS = 10_000;

    static final String CLEAN_MARKER = ".kafka_cleanshutdown";
    /// What Kafka 4.3.1 writes into it; a broker epoch of -1 says that there is none.
    private static final String CLEAN_MARKER_CONTENT = "{\"version\":0,\"brokerEpoch\":-1}";

    private final Kernel kernel;
    private final Path folder;
    private final UUID id;
    private final DirectoryLock lock;
    private final LogContext context;
    private final Account segmentsAccount;
    private final Options options;
    private final ConcurrentSkipListMap<PartitionName, PartitionLog> logs = new ConcurrentSkipListMap<>();
    private final RecoveryReport report;
    private final Ceilings ceilings;

    // Guarded by this.
    private final CheckpointFiles checkpoints;
    private final Set<PartitionName> creating = new HashSet<>();
    private boolean closed;

    private LogDirectory(
            Kernel kernel,
            Path folder,
            UUID id,
            DirectoryLock lock,
            InstantSource clock,
            SpaceReserve reserve,
            Account segmentsAccount,
            Options options,
            SegmentWriter.Engine engine,
            Function<String, LogConfig> configOf)
            throws IOException {
        this.kernel = kernel;
        this.folder = folder;
        this.id = id;
        this.lock = lock;
        this.context = new LogContext(
                kernel,
                new OpenFiles(options.openSegmentFiles()),
                engine,
                clock,
                reserve,
                this::keepLogStarts,
                options.flushing().get(),
                this::raiseCeilings);
        this.ceilings = new Ceilings(kernel, folder, reserve, context.flushing(), logs);
        this.checkpoints = new CheckpointFiles(kernel, folder, reserve, ceilings, logs);
        this.segmentsAccount = segmentsAccount;
        this.options = options;
        this.report = load(configOf);
    }

    // ---- How it starts

    /// Opens a data folder, which is made if it is missing, and recovers its partitions.
    ///
    /// @param identity whose folder it has to be
    /// @param configOf a topic's configuration; asked for every topic found, by several threads
    /// @param clock    wall-clock time
    /// @param segments parent of the partitions' accounts
    /// @throws LogDirectoryException when the folder is held by another broker, can't be used, or is not ours;
    ///     its message is one line that says what to do
    /// @throws IOException when a partition's files can't be read or written
    public static LogDirectory open(
            Kernel kernel,
            Path folder,
            Identity identity,
            Function<String, LogConfig> configOf,
            InstantSource clock,
            Account segments,
            Options options)
            throws IOException {
        Path absolute = folder.toAbsolutePath().normalize();
        DirectoryLock lock = DirectoryLock.take(kernel, absolute);
        try {
            UUID id = lock.identify(identity, options.ids());
            SpaceReserve reserve = SpaceReserve.in(kernel, absolute, options.reserveBytes());
            if (!options.engine().isAsynchronous()) {
                OrphanWrites.awaitOver(kernel, absolute);
            }
            SegmentWriter.Engine engine = options.engine().start(kernel, absolute, segments);
            try {
                return new LogDirectory(
                        kernel, absolute, id, lock, clock, reserve, segments, options, engine, configOf);
            } catch (IOException | RuntimeException | Error e) {
                engine.close();
                throw e;
            }
        } catch (IOException | RuntimeException | Error e) {
            lock.close();
            throw e;
        }
    }

    /// With [Options#standard] and one configuration for all topics.
    public static LogDirectory open(
            Kernel kernel, Path folder, Identity identity, LogConfig config, InstantSource clock, Account segments)
            throws IOException {
        return open(kernel, folder, identity, _ -> config, clock, segments, Options.standard());
    }

    private RecoveryReport load(Function<String, LogConfig> configOf) throws IOException {
        Instant started = context.clock().instant();
        List<String> warnings = new ArrayList<>();
        PartitionLoader.Ending ending = howItEnded();
        CheckpointFiles.Offsets offsets = checkpoints.read(warnings);

        List<PartitionName> found = new ArrayList<>();
        List<String> ignored = new ArrayList<>();
        List<String> removed = new ArrayList<>();
        for (String name : SmallFiles.list(folder)) {
            sort(name, found, ignored, removed, warnings);
        }
        Account recoveryAccount = segmentsAccount.child("recovery");
        List<RecoveryReport.Partition> partitions;
        try {
            partitions = ParallelWork.run(
                    "sluice-recovery", options.recoveryThreads(), found, "Loading partition ", name -> {
                        LogConfig config = configOf.apply(name.topic());
                        PartitionLoader.Loaded loaded = load(name, config, offsets.of(name), recoveryAccount, ending);
                        logs.put(name, loaded.log());
                        return loaded.report();
                    });
        } catch (IOException | RuntimeException | Error e) {
            logs.values().forEach(PartitionLog::abandon);
            throw e;
        } finally {
            recoveryAccount.close();
        }
        PageCacheWitness.leave(kernel, folder, context.engine().fillsAhead());
        long durationNs = Duration.between(started, context.clock().instant()).toNanos();
        return new RecoveryReport(
                ending == PartitionLoader.Ending.CLEAN,
                ending.keptPageCache(),
                partitions,
                ignored,
                removed,
                warnings,
                durationNs);
    }

    private PartitionLoader.Ending howItEnded() throws ErrnoException {
        if (takeMarker()) {
            return PartitionLoader.Ending.CLEAN;
        }
        if (PageCacheWitness.isThere(kernel, folder, false)) {
            return PartitionLoader.Ending.KILLED;
        }
        return PageCacheWitness.isThere(kernel, folder, true)
                ? PartitionLoader.Ending.KILLED_FILLING
                : PartitionLoader.Ending.LOST;
    }

    /// Loads a partition; on a full disk with the reserve's room, for a start must not fail for want of an index.
    private PartitionLoader.Loaded load(
            PartitionName name,
            LogConfig config,
            PartitionLoader.Checkpoints known,
            Account recoveryAccount,
            PartitionLoader.Ending ended)
            throws IOException {
        PartitionLoader.Ending ending = ended;
        for (boolean triedAgain = false; ; triedAgain = true) {
            PartitionLoader loader = new PartitionLoader(
                    context, name, folder.resolve(name.folder()), config, known, segmentsAccount, recoveryAccount);
            try {
                return loader.load(ending);
            } catch (ErrnoException e) {
                if (!Errno.isOutOfSpace(e.errno()) || triedAgain) {
                    throw e;
                }
                context.reserve().spend(); // or another partition has, and there is room for this one too
                // What this try cut off, the next would not miss.
                if (ending.keptPageCache() && loader.hasCut()) {
                    ending = PartitionLoader.Ending.LOST;
                }
            }
        }
    }

    /// Whether the broker before ended cleanly. Its word holds once: the marker is gone for good before anything
    /// changes.
    private boolean takeMarker() throws ErrnoException {
        long result = kernel.files().unlink(folder.resolve(CLEAN_MARKER));
        if (result == -Errno.ENOENT) {
            return false;
        }
        ErrnoException.check(result, Call.UNLINK, folder.resolve(CLEAN_MARKER).toString());
        SmallFiles.syncFolder(kernel, folder);
        return true;
    }

    /// Tells partitions' folders from what is none of ours, and finishes interrupted deletions.
    private void sort(
            String name, List<PartitionName> found, List<String> ignored, List<String> removed, List<String> warnings)
            throws IOException {
        if (DirectoryLock.isOwn(name) || name.endsWith("-offset-checkpoint")) {
            return;
        }
        Path path = folder.resolve(name);
        FileStatus status = kernel.files().status(path);
        if (status.isSocket()) {
            return; // where the broker that was here before took local readers
        }
        if (!status.isDirectory()) {
            if (name.endsWith(SmallFiles.TEMPORARY)) {
                SmallFiles.remove(kernel, path);
            } else {
                ignored.add(name);
            }
        } else if (PartitionName.isDeletedFolder(name)) {
            try {
                SmallFiles.removeFolder(kernel, path);
                removed.add(name);
            } catch (IOException e) {
                warnings.add("a deleted partition's folder can't be removed, and takes disk space: " + e.getMessage());
            }
        } else {
            PartitionName.ofFolder(name).ifPresentOrElse(found::add, () -> ignored.add(name));
        }
    }

    // ---- What it has

    /// The data folder, as an absolute path.
    public Path folder() {
        return folder;
    }

    /// How records are written, for a line in a log.
    public String engine() {
        return context.engine().description();
    }

    /// `directory.id` of meta.properties.
    public UUID id() {
        return id;
    }

    /// What opening found and did.
    public RecoveryReport recoveryReport() {
        return report;
    }

    /// All logs, by topic and partition; a view that follows what is created and deleted.
    public Collection<PartitionLog> logs() {
        return Collections.unmodifiableCollection(logs.values());
    }

    /// The log of one partition; empty when there is none, for names that can't be too.
    public Optional<PartitionLog> log(String topic, int partition) {
        return PartitionName.TOPIC.matcher(topic).matches() && partition >= 0
                ? Optional.ofNullable(logs.get(new PartitionName(topic, partition)))
                : Optional.empty();
    }

    // ---- What changes it

    /// Makes the log of a new partition, empty; it is on the device when this returns. Several threads may do so
    /// side by side.
    ///
    /// @throws IllegalArgumentException for a name that Kafka does not allow
    /// @throws IllegalStateException when there is one already, or the folder is closed
    /// @throws IOException when the disk is full, descriptors ran out…; nothing is left behind
    public PartitionLog create(String topic, int partition, UUID topicId, LogConfig config) throws IOException {
        return create(topic, partition, partition + 1, topicId, config).getFirst();
    }

    /// Makes the logs of partitions from `first` to before `end`, as [#create(String, int, UUID, LogConfig)].
    ///
    /// @return them, in their order
    /// @throws IOException the first failure; none of them is left behind
    public List<PartitionLog> create(String topic, int first, int end, UUID topicId, LogConfig config)
            throws IOException {
        List<PartitionName> names = IntStream.range(first, end)
                .mapToObj(partition -> new PartitionName(topic, partition))
                .toList();
        reserve(names);
        List<PartitionLog> made = List.of();
        try {
            made = make(names, topicId, config);
        } finally {
            release(names, made);
        }
        return made;
    }

    private synchronized void reserve(List<PartitionName> names) throws ErrnoException {
        checkOpen();
        for (PartitionName name : names) {
            if (logs.containsKey(name) || creating.contains(name)) {
                throw new IllegalStateException(name + " is there already");
            }
        }
        if (names.stream().anyMatch(checkpoints::name)) {
            checkpoints.write(); // of a log that was deleted; the new one begins at 0
        }
        creating.addAll(names);
    }

    private List<PartitionLog> make(List<PartitionName> names, UUID topicId, LogConfig config) throws IOException {
        List<PartitionLog> made = new ArrayList<>(names.size());
        boolean isDurable = false;
        try {
            for (PartitionName name : names) {
                made.add(make(name, topicId, config));
            }
            keep(names);
            made.forEach(PartitionLog::madeDurably);
            isDurable = true;
            return made;
        } finally {
            if (!isDurable) {
                made.forEach(log -> {
                    log.abandon();
                    discard(folder.resolve(log.name().folder()));
                });
            }
        }
    }

    private PartitionLog make(PartitionName name, UUID topicId, LogConfig config) throws IOException {
        Path path = folder.resolve(name.folder());
        try {
            return PartitionLoader.create(context, name, path, config, topicId, segmentsAccount);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EEXIST) {
                discard(path);
            }
            throw e;
        }
    }

    /// Waits until new partitions' folders are on the device. All are made before the first is synced, and all
    /// files are synced before the first folder: what one sync has the file system write is not left to another's.
    private void keep(List<PartitionName> names) throws IOException {
        sync(names, SYNCING_THREADS, path -> PartitionMetadata.sync(kernel, path));
        sync(names, names.size() < MANY ? 1 : SYNCING_THREADS, path -> SmallFiles.syncFolder(kernel, path));
        SmallFiles.syncFolder(kernel, folder);
    }

    private interface Syncing {
        void run(Path folder) throws IOException;
    }

    private void sync(List<PartitionName> names, int threads, Syncing syncing) throws IOException {
        if (threads == 1 || names.size() == 1) {
            for (PartitionName name : names) {
                syncing.run(folder.resolve(name.folder()));
            }
            return;
        }
        ParallelWork.run("sluice-create", threads, names, "Making ", name -> {
            syncing.run(folder.resolve(name.folder()));
            return name;
        });
    }

    private synchronized void release(List<PartitionName> names, List<PartitionLog> made) {
        names.forEach(creating::remove);
        if (closed) {
            made.forEach(PartitionLog::abandon);
            if (!made.isEmpty()) {
                checkOpen();
            }
        }
        made.forEach(log -> logs.put(log.name(), log));
    }

    private void discard(Path path) {
        try {
            SmallFiles.removeFolder(kernel, path);
        } catch (IOException e) {
            // The folder stays with what is in it: at the next start it is an empty log, or none.
        }
    }

    /// Deletes a log with its folder. Whoever holds a span of it can still send that; all else is answered
    /// 'closed'.
    ///
    /// @throws ErrnoException when the folder can't be renamed; the log is then still there. What can't be
    ///     unlinked afterwards is removed at the next start
    public void delete(PartitionLog log) throws IOException {
        Path deleted = folder.resolve(log.name().deletedFolder(options.ids().get()));
        synchronized (this) {
            checkOpen();
            if (logs.get(log.name()) != log) {
                throw new IllegalStateException(log + " is not in " + folder);
            }
            log.moveAway(deleted);
            logs.remove(log.name());
        }
        discard(deleted);
    }

    /// What a broker calls now and then (Kafka: every minute), on a thread that may block: flushes sealed
    /// segments, forgets expired producers, lets go of the descriptors and maps of partitions that rest, writes
    /// the checkpoints.
    ///
    /// @throws IOException the first failure; the others are suppressed in it, and all partitions had their turn
    public void checkpoint() throws IOException {
        Failures failures = new Failures();
        for (PartitionLog log : logs.values()) {
            if (!log.isClosed()) {
                failures.run(log::tidy);
            }
        }
        synchronized (this) {
            checkOpen();
            failures.run(checkpoints::write);
        }
        failures.throwIfAny();
    }

    /// What a broker calls now and then (Kafka: every five minutes), on a thread that may block: lets go of the
    /// segments that are due by the topics' `retention.ms` and `retention.bytes`. First it is found out where each
    /// log begins from now on, then that is written down durably, once for all of them, and then files are
    /// unlinked; a crash between any two of these loses no more than was due.
    ///
    /// @param nowMs  what counts as now; empty when nothing is to go by age
    /// @param dropped told of each log that lost segments
    /// @throws IOException the first failure; the others are suppressed in it, and all partitions had their turn
    public void retain(OptionalLong nowMs, Consumer<Expired> dropped) throws IOException {
        Failures failures = new Failures();
        for (PartitionLog log : logs.values()) {
            failures.run(() -> unlessClosed(log, () -> log.expire(nowMs)));
        }
        // Where they begin before it is written down: a start that is moved from now on is for whoever moves it.
        Map<PartitionLog, Long> starts = new LinkedHashMap<>();
        logs.values().forEach(log -> starts.put(log, log.logStartOffset()));
        try {
            keepLogStarts();
        } catch (ErrnoException e) {
            failures.add(e);
            if (!Errno.isOutOfSpace(e.errno())) {
                failures.throwIfAny();
            }
            // On a full disk the files have to go all the same, or it stays full. They go oldest first.
        }
        starts.forEach((log, start) -> failures.run(() -> unlessClosed(log, () -> {
            LogRetention.Dropped gone = log.dropBelow(start);
            if (gone.segments() > 0) {
                dropped.accept(
                        new Expired(log.topic(), log.partition(), gone.segments(), gone.bytes(), log.logStartOffset()));
            }
        })));
        failures.throwIfAny();
    }

    /// What a broker calls every second or so, on a thread that may block: takes the reserve back once the disk has
    /// the room for it.
    ///
    /// @return whether the disk is full: appends were refused, and would still be
    public boolean isFull() {
        return context.reserve().isDiskFull();
    }

    /// Segments that a log has let go of.
    ///
    /// @param bytes          of their batches
    /// @param logStartOffset where the log begins now
    public record Expired(String topic, int partition, int segments, long bytes, long logStartOffset) {}

    /// A deletion meanwhile is no failure of what was to be done with the log.
    private static void unlessClosed(PartitionLog log, Failures.Step step) throws IOException {
        try {
            step.run();
        } catch (IOException e) {
            if (!log.isClosed()) {
                throw e;
            }
        }
    }

    private synchronized void keepLogStarts() throws IOException {
        checkOpen();
        checkpoints.keepLogStarts();
    }

    private void raiseCeilings() {
        ceilings.raise();
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException(folder + " is closed");
        }
    }

    // ---- How it ends

    /// Flushes, trims and closes all logs, writes the checkpoints and the marker of a clean end, and lets go of
    /// the folder. Closing twice changes nothing.
    ///
    /// @throws IOException the first failure, the others suppressed in it; everything is closed all the same, and
    ///     without the marker the next start verifies what was not flushed
    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        Failures failures = new Failures();
        try {
            failures.run(() ->
                    ParallelWork.run("sluice-close", SYNCING_THREADS, List.copyOf(logs.values()), "Closing ", log -> {
                        log.close();
                        return log;
                    }));
            failures.run(checkpoints::write);
            if (failures.none()) {
                failures.run(this::leaveMarker);
            }
        } finally {
            abandon();
        }
        failures.throwIfAny();
    }

    private void leaveMarker() throws ErrnoException {
        Path marker = folder.resolve(CLEAN_MARKER);
        context.reserve().spendFor(() -> {
            SmallFiles.replace(kernel, marker, CLEAN_MARKER_CONTENT.getBytes(StandardCharsets.UTF_8));
            SmallFiles.syncFolder(kernel, folder);
        });
    }

    /// Lets go of everything as it is, as if the process had died here: what a failed close ends with, and what is
    /// left to an owner who can't vouch for what it did last. The next start recovers the folder.
    public synchronized void abandon() {
        closed = true;
        logs.values().forEach(PartitionLog::abandon);
        context.engine().close();
        context.flushing().end(FLUSH_END_MS);
        lock.close();
    }
}
