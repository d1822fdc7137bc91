package dev.sluice.broker;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Span;
import dev.sluice.log.AppendOutcome;
import dev.sluice.log.BatchBuilder;
import dev.sluice.log.BatchView;
import dev.sluice.log.Identity;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadOutcome;
import dev.sluice.testkit.Batches;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A data folder with a partition whose files hold any bytes, beside one that is as it should be.
///
/// ```
///   input:  u8 flags (1: mend the CRCs in segments, 2: the broker before ended cleanly), then for each file
///           u8 which of FILES, u16 its length, its bytes
/// ```
///
/// What must hold: the folder is opened, or refused by an IOException of one line. The good partition is as it was,
/// but for a filler up to its ceiling, unless a file says that its records were deleted.
/// What the other holds can be read up to its end or is refused by an IOException; after an unclean end, without a
/// recovery point, every batch of it is whole. It takes a record, which is there after a restart, and what was read
/// before still is what is read.
final class RecoveryFuzz implements Fuzz.Target {
    private static final byte MEND_CRCS = 1;
    private static final byte CLEAN = 2;
    private static final String RECOVERY_POINTS = "recovery-point-offset-checkpoint";
    private static final String LOG_STARTS = "log-start-offset-checkpoint";

    /// Those of the data folder have no slash.
    private static final List<String> FILES = List.of(
            "fuzz-0/00000000000000000000.log",
            "fuzz-0/00000000000000000000.index",
            "fuzz-0/00000000000000000000.timeindex",
            "fuzz-0/00000000000000000004.log",
            "fuzz-0/00000000000000000004.index",
            "fuzz-0/00000000000000000004.timeindex",
            "fuzz-0/00000000000000000004.snapshot",
            "fuzz-0/00000000000000000006.snapshot",
            "fuzz-0/leader-epoch-checkpoint",
            "fuzz-0/partition.metadata",
            RECOVERY_POINTS,
            LOG_STARTS,
            "replication-offset-checkpoint",
            "sluice-ceiling-offset-checkpoint",
            "meta.properties",
            "sluice.page-cache");

    private static final Identity IDENTITY = new Identity("MkU3OEVBNTcwNTJENDM2Qk", 1);
    private static final int READ_BYTES = 64 << 10;

    /// Where a batch tells how many records it has.
    private static final int RECORDS_COUNT = 57;

    private final Path root;
    private final Path work;
    private final Kernel kernel = new Kernel();

    /// What a broker left that ended cleanly, by path: the good partition, and a damaged-to-be one.
    private final Map<String, byte[]> template;

    private final List<ByteBuffer> good;

    /// Whether the input has deleted records of the good partition, as a client may.
    private boolean goodIsLess;

    RecoveryFuzz() throws IOException {
        this(false);
    }

    /// @param spoilt whether the good partition's records shall change between runs: the control of a test
    RecoveryFuzz(boolean spoilt) throws IOException {
        Path shared = Path.of("/dev/shm");
        root = Files.isWritable(shared)
                ? Files.createTempDirectory(shared, "sluice-fuzz-")
                : Files.createTempDirectory("sluice-fuzz-");
        work = root.resolve("data");
        try (LogDirectory directory = open()) {
            PartitionLog sound = directory.create("good", 0, new UUID(1, 1), config());
            append(sound, Batches.of("good", "records").bytes());
            PartitionLog other = directory.create("fuzz", 0, new UUID(1, 2), config());
            append(other, Batches.of("one", "two").producer(5, 0, 0).bytes());
            append(other, Batches.of("three", "four").producer(5, 0, 2).bytes());
            append(other, Batches.of("five", "x".repeat(300)).producer(6, 1, 0).bytes());
            sound.flush();
        }
        template = files();
        try (LogDirectory directory = open()) {
            good = read(directory.log("good", 0).orElseThrow(), true);
        }
        if (spoilt) {
            template.put(
                    "good-0/00000000000000000000.log",
                    Batches.stored(Batches.of("others").bytes(), 0, 0));
        }
    }

    /// Two batches of the template fit into a segment, a third does not.
    private static LogConfig config() {
        return LogConfig.DEFAULT.withSegmentBytes(400).withIndexIntervalBytes(1).withIndexBytes(4096);
    }

    private LogDirectory open() throws IOException {
        return LogDirectory.open(
                kernel, work, IDENTITY, config(), () -> Instant.ofEpochMilli(Batches.T0_MS), Account.root("segments"));
    }

    private Map<String, byte[]> files() throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        try (Stream<Path> walk = Files.walk(work)) {
            for (Path path : walk.filter(Files::isRegularFile).sorted().toList()) {
                files.put(work.relativize(path).toString(), Files.readAllBytes(path));
            }
        }
        return files;
    }

    private static void append(PartitionLog log, byte[] bytes) {
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length, 8);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        AppendOutcome outcome = log.append(new BatchView().wrap(memory, memory.asByteBuffer(), 0, bytes.length));
        if (!(outcome instanceof AppendOutcome.Appended)) {
            throw new AssertionError("not appended: " + outcome);
        }
    }

    @Override
    public void run(byte[] input) throws IOException {
        Map<String, byte[]> files = new LinkedHashMap<>();
        boolean clean = decode(input, files);
        write(files, clean);
        goodIsLess = new String(files.getOrDefault(LOG_STARTS, new byte[0]), StandardCharsets.UTF_8).contains("good");
        boolean isWhole = !clean && !files.containsKey(RECOVERY_POINTS);
        Found before;
        try (LogDirectory directory = open()) {
            before = look(directory, isWhole);
        } catch (IOException e) {
            requireOneLine(e);
            return;
        }
        try (LogDirectory directory = open()) {
            requireSame(before, look(directory, isWhole));
        }
    }

    /// @return whether the broker before ended cleanly
    private static boolean decode(byte[] input, Map<String, byte[]> files) {
        ByteBuffer left = ByteBuffer.wrap(input);
        if (!left.hasRemaining()) {
            return false;
        }
        byte flags = left.get();
        while (left.remaining() >= 3) {
            String name = FILES.get(Math.floorMod(left.get(), FILES.size()));
            byte[] bytes = new byte[Math.min(Short.toUnsignedInt(left.getShort()), left.remaining())];
            left.get(bytes);
            if (name.endsWith(".log") && (flags & MEND_CRCS) != 0) {
                Batches.mendCrcs(bytes, 0, bytes.length);
            }
            files.put(name, bytes);
        }
        return (flags & CLEAN) != 0;
    }

    private void write(Map<String, byte[]> files, boolean clean) throws IOException {
        deleteFolder(work);
        Files.createDirectories(work.resolve("good-0"));
        Files.createDirectories(work.resolve("fuzz-0"));
        for (Map.Entry<String, byte[]> each : template.entrySet()) {
            String name = each.getKey();
            if (name.startsWith("good-0/")
                    || name.equals("meta.properties")
                    || (clean && name.equals(".kafka_cleanshutdown"))) {
                Files.write(work.resolve(name), each.getValue());
            }
        }
        for (Map.Entry<String, byte[]> each : files.entrySet()) {
            Files.write(work.resolve(each.getKey()), each.getValue());
        }
    }

    /// What a start found, and what was appended to it.
    private record Found(long start, long end, @Nullable List<ByteBuffer> batches, long appendedAt) {}

    private Found look(LogDirectory directory, boolean isWhole) throws IOException {
        List<ByteBuffer> still = read(directory.log("good", 0).orElseThrow(), true);
        still.removeIf(batch -> batch.getInt(RECORDS_COUNT) == 0); // stands for offsets that may have been seen
        if (!still.equals(good) && !goodIsLess) {
            throw new AssertionError("the good partition is not what it was: " + still);
        }
        PartitionLog log = directory.log("fuzz", 0).orElseThrow();
        long start = log.logStartOffset();
        long end = log.logEndOffset();
        if (start < 0 || start > end) {
            throw new AssertionError("from offset " + start + " to " + end);
        }
        List<ByteBuffer> batches = readIfWhole(log, isWhole);
        BatchView one = new BatchBuilder()
                .add(Batches.T0_MS, null, "appended".getBytes(StandardCharsets.UTF_8))
                .build();
        return switch (log.append(one)) {
            case AppendOutcome.Appended _ -> {
                if (one.baseOffset() < end) {
                    throw new AssertionError("offset " + one.baseOffset() + " given again, the end was " + end);
                }
                yield new Found(start, end, batches, one.baseOffset());
            }
            case AppendOutcome.Failed failed -> throw new IOException(failed.message());
            case AppendOutcome.Duplicate _, AppendOutcome.Rejected _ ->
                throw new AssertionError("a plain record is not taken");
        };
    }

    private static void requireSame(Found before, Found now) {
        if (now.start() != before.start() || now.end() != before.appendedAt() + 1) {
            throw new AssertionError("after a restart " + now + ", before it " + before);
        }
        List<ByteBuffer> then = before.batches();
        if (then != null
                && (now.batches() == null
                        || !now.batches().subList(0, then.size()).equals(then))) {
            throw new AssertionError("after a restart other batches are read: " + now + ", before it " + before);
        }
    }

    private static void requireOneLine(IOException e) {
        String message = e.getMessage();
        if (message == null || message.isBlank() || message.indexOf('\n') >= 0) {
            throw new AssertionError("refused without saying why", e);
        }
    }

    // ---- Reading

    /// @return null when some of it can't be read
    private @Nullable List<ByteBuffer> readIfWhole(PartitionLog log, boolean isWhole) throws IOException {
        try {
            return read(log, isWhole);
        } catch (IOException e) {
            if (isWhole) {
                throw new AssertionError("what was recovered can't be read", e);
            }
            requireOneLine(e);
            return null;
        }
    }

    /// @param isWhole whether CRCs must be right
    private List<ByteBuffer> read(PartitionLog log, boolean isWhole) throws IOException {
        List<ByteBuffer> batches = new ArrayList<>();
        long offset = log.logStartOffset();
        while (offset < log.logEndOffset()) {
            switch (log.read(offset, READ_BYTES, true)) {
                case ReadOutcome.Found found -> offset = add(found.span(), offset, isWhole, batches);
                case ReadOutcome.AtEnd _ -> {
                    return batches; // the rest is not acknowledged yet
                }
                case ReadOutcome.OutOfRange range -> throw new AssertionError(offset + " is in the log, and " + range);
                case ReadOutcome.Closed _ -> throw new AssertionError("closed");
            }
        }
        return batches;
    }

    /// @return the offset behind the last batch of the span
    private long add(Span span, long from, boolean isWhole, List<ByteBuffer> batches) throws IOException {
        long offset = from;
        try (Arena arena = Arena.ofConfined()) {
            int length = Math.toIntExact(span.lengthBytes());
            MemorySegment memory = arena.allocate(Math.max(1, length), 8);
            long read = kernel.files().preadFully(span.file(), memory.asSlice(0, length), span.position());
            if (read != length) {
                throw new AssertionError("a span of " + length + " bytes has " + read);
            }
            BatchView batch = new BatchView();
            ByteBuffer view = memory.asByteBuffer();
            for (int at = 0; length - at >= BatchView.HEADER_BYTES; ) {
                long batchBytes = batch.wrap(memory, view, at, length - at).batchLengthBytes();
                if (batchBytes > length - at || batchBytes < BatchView.HEADER_BYTES) {
                    break; // cut by the bound of the read, or what a later read refuses
                }
                batch.wrap(memory, view, at, (int) batchBytes);
                if (isWhole && batch.computeCrc() != batch.crc()) {
                    throw new AssertionError("a batch with a wrong CRC at offset " + batch.baseOffset());
                }
                if (batch.lastOffset() >= offset) {
                    offset = batch.lastOffset() + 1;
                    batches.add(ByteBuffer.wrap(memory.asSlice(at, batchBytes).toArray(ValueLayout.JAVA_BYTE)));
                }
                at += (int) batchBytes;
            }
        } finally {
            span.hold().release();
        }
        if (offset <= from) {
            throw new IOException("nothing can be read at offset " + from);
        }
        return offset;
    }

    // ---- Seeds

    @Override
    public List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        seeds.add(seed(MEND_CRCS, FILES));
        seeds.add(seed((byte) (MEND_CRCS | CLEAN), FILES));
        seeds.add(seed((byte) 0, List.of(FILES.getFirst())));
        seeds.add(seed(
                MEND_CRCS, FILES.stream().filter(name -> name.endsWith(".log")).toList()));
        for (String each : FILES) {
            seeds.add(seed(
                    MEND_CRCS, FILES.stream().filter(name -> !name.equals(each)).toList()));
        }
        return seeds;
    }

    private byte[] seed(byte flags, List<String> names) {
        ByteArrayOutputStream seed = new ByteArrayOutputStream();
        seed.write(flags);
        for (String name : names) {
            byte[] bytes = template.get(name);
            if (bytes != null) {
                int length = name.endsWith("index") ? Math.min(bytes.length, 48) : bytes.length;
                seed.write(FILES.indexOf(name));
                seed.write(length >> 8);
                seed.write(length);
                seed.write(bytes, 0, length);
            }
        }
        return seed.toByteArray();
    }

    @Override
    public void close() throws IOException {
        deleteFolder(root);
    }

    private static void deleteFolder(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
