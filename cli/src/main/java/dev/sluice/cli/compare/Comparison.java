package dev.sluice.cli.compare;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.NetworkPath;
import dev.sluice.io.transfer.Plan;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// Measures every way with every size, in interleaved runs: each run has every way once, so that what disturbs the
/// machine for a while
/// disturbs all alike.
///
/// Every way gets about the same time, so it moves as much of the file as it can in that: cost is told by the GiB. Each
/// move takes the
/// next part of the file. Used by one thread.
public final class Comparison {
    /// Long enough to be over start-up costs and the resolution of the kernel's clocks.
    private static final long LEAST_BYTES = 16L << 20;

    /// The JDK maps no more at once.
    private static final long MOST_BYTES = 1L << 30;

    /// First a little, to see whether a way works and how slow it is; then until the JVM has compiled what moves
    /// bytes.
    private static final long FIRST_BYTES = 1L << 20;

    private static final long WARM_UP_BYTES = 16L << 20;

    /// A way that is slower than this is not warmed up further: it waits, and there is nothing to compile.
    private static final long SLOW_NS = 200_000_000;

    private static final int BLOCK = Checksums.BLOCK_BYTES;
    private static final long PAGE = 4096;

    /// What to compare.
    ///
    /// @param file       the user's file, not empty
    /// @param folder     where files are written to
    /// @param pieceSizes bytes a call is asked to move, ascending
    /// @param sweptSizes further sizes for some ways, for a picture
    /// @param runs       at least 1
    /// @param budgetNs   how long to take in all, roughly
    /// @param cold       whether ways that read the file are measured cold, too: with the part of the file to be
    ///                   moved thrown out of the page cache before each move
    /// @param over       the way to the other side
    public record Request(
            Path file,
            Path folder,
            List<Integer> pieceSizes,
            List<Integer> sweptSizes,
            int runs,
            long budgetNs,
            boolean cold,
            Over over) {}

    private final Request request;
    private final Runnable listener;
    private final BooleanSupplier cancelled;
    private final Kernel kernel = new Kernel();
    private final Transfers transfers = new Transfers(kernel);
    private final long fileBytes;
    private final Checksums expected;
    private final Path sink;
    private final OtherSide other;
    private final List<Subject> subjects;
    private final Map<String, NetworkPath> paths = new LinkedHashMap<>();

    private Comparison(Request request, Runnable listener, BooleanSupplier cancelled, Path sink) throws IOException {
        this.request = request;
        this.listener = listener;
        this.cancelled = cancelled;
        this.sink = sink;
        this.fileBytes = Files.size(request.file());
        // Brings the file into the page cache, too.
        this.expected = Checksums.of(request.file(), 0, fileBytes);
        this.other = OtherSide.of(request.over(), kernel, transfers, request.file(), fileBytes);
        this.subjects = Subject.all(request, other.states());
    }

    /// How often the listener of [#run] will be told.
    public static int moves(Request request) {
        List<String> states = request.over() instanceof Over.Veth ? VethSide.STATES : List.of("");
        return Subject.all(request, states).size() * (request.runs() + 1);
    }

    /// Runs it, on a thread of its own, which may get a network of its own.
    ///
    /// @param listener  told after each move, measured or not, on that thread
    /// @param cancelled asked between moves, likewise
    /// @throws IOException           when the file or the folder can't be used, or anything was delivered wrong
    /// @throws CancellationException when it was cancelled; nothing is left behind
    public static Report run(Request request, Runnable listener, BooleanSupplier cancelled) throws IOException {
        FutureTask<Report> task = new FutureTask<>(() -> onThisThread(request, listener, cancelled));
        Thread.ofPlatform().name("sluice-compare").start(task);
        try {
            return task.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            if (e.getCause() instanceof CancellationException stopped) {
                throw stopped;
            }
            throw new IllegalStateException(e.getCause());
        }
    }

    private static Report onThisThread(Request request, Runnable listener, BooleanSupplier cancelled)
            throws IOException {
        Path sink = Files.createTempFile(request.folder(), ".sluice-compare-", ".tmp");
        try {
            Comparison comparison = new Comparison(request, listener, cancelled, sink);
            try (comparison.other;
                    comparison.transfers) {
                return comparison.measure();
            }
        } finally {
            Files.deleteIfExists(sink);
        }
    }

    private Report measure() throws IOException {
        long startNs = System.nanoTime();
        for (String state : other.states()) {
            other.peer();
            other.choose(state);
            paths.put(state, path());
        }
        for (Subject subject : subjects) {
            warmUp(subject);
            listener.run();
        }
        long leftNs = Math.max(0, request.budgetNs() - (System.nanoTime() - startNs));
        long available =
                subjects.stream().filter(subject -> subject.unavailable == null).count();
        for (Subject subject : subjects) {
            subject.lengthBytes = share(subject, leftNs / Math.max(1, available * request.runs()));
            subject.position = 0;
        }
        for (int run = 0; run < request.runs(); run++) {
            long runNs = System.nanoTime();
            for (Subject subject : subjects) {
                if (subject.unavailable == null) {
                    subject.samples.add(once(subject, false));
                }
                listener.run();
            }
            keepToBudget(
                    request.budgetNs() - (System.nanoTime() - startNs),
                    (request.runs() - run - 1) * (System.nanoTime() - runNs));
        }
        // Only now has the planner seen what this machine refuses.
        Map<Direction, Plan> plans = plans();
        Map<Direction, String> sentences = new EnumMap<>(Direction.class);
        plans.forEach((direction, plan) -> sentences.put(direction, plan.toString()));
        return new Report(Setting.of(request, paths, other, fileBytes), sentences, other.states(), rows(plans));
    }

    /// What is left to do takes as long as it did so far: where that is more than there is time for, less is moved.
    private void keepToBudget(long leftNs, long neededNs) {
        if (neededNs > leftNs) {
            double factor = Math.max(0, (double) leftNs / neededNs);
            for (Subject subject : subjects) {
                if (!subject.way.movesWholeFiles()) {
                    long wanted = (long) Math.max(LEAST_BYTES, subject.lengthBytes * factor) / BLOCK * BLOCK;
                    subject.lengthBytes = Math.min(subject.lengthBytes, wanted);
                }
            }
        }
    }

    private void warmUp(Subject subject) throws IOException {
        if (subject.way.movesWholeFiles() && fileBytes > JdkWay.LARGEST_WHOLE_BYTES) {
            subject.unavailable = "copies a file as a whole, and this one is too large for that";
            return;
        }
        try {
            timed(subject, FIRST_BYTES);
            if (subject.roundNs < SLOW_NS && !subject.swept) {
                timed(subject, WARM_UP_BYTES);
            }
        } catch (Unavailable e) {
            subject.unavailable = e.getMessage();
        }
    }

    private void timed(Subject subject, long bytes) throws IOException {
        subject.lengthBytes = Math.min(most(subject), bytes);
        long beganNs = System.nanoTime();
        once(subject, true);
        subject.roundNs = System.nanoTime() - beganNs;
    }

    /// How much of the file can go this way.
    private long most(Subject subject) throws IOException {
        return subject.way.direction() == Direction.SOCKET_TO_FILE
                ? Math.min(fileBytes, other.peer().heldBytes())
                : fileBytes;
    }

    /// As much as a way moves in that time, in whole blocks; checking what arrived is in it.
    private long share(Subject subject, long shareNs) throws IOException {
        if (subject.way.movesWholeFiles()) {
            return fileBytes;
        }
        double bytes = (double) subject.lengthBytes * shareNs / Math.max(1, subject.roundNs);
        double least = subject.roundNs < SLOW_NS ? LEAST_BYTES : BLOCK;
        long wanted = (long) Math.max(least, Math.min(bytes, MOST_BYTES)) / BLOCK * BLOCK;
        return Math.min(wanted, most(subject));
    }

    /// One move, checked.
    private Sample once(Subject subject, boolean unmeasured) throws IOException {
        if (cancelled.getAsBoolean()) {
            throw new CancellationException();
        }
        long length = subject.way.movesWholeFiles() ? fileBytes : subject.lengthBytes;
        long position = subject.position + length > most(subject) ? 0 : subject.position;
        subject.position = position + length;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment kept = unmeasured && subject.way.direction() == Direction.FILE_TO_MEMORY
                    ? arena.allocate(length, 8)
                    : null;
            return move(subject, position, length, kept);
        } catch (Unavailable e) {
            other.drop();
            throw e;
        } catch (IOException e) {
            other.drop();
            throw new IOException(subject.label() + ": " + e.getMessage(), e);
        }
    }

    private Sample move(Subject subject, long position, long length, @Nullable MemorySegment kept) throws IOException {
        Direction direction = subject.way.direction();
        if (!subject.state.isEmpty()) {
            other.peer();
            other.choose(subject.state);
        }
        if (direction.writesFile()) {
            // A new file each time: what it costs to fill a file's pages for the first time is a part of every copy.
            Files.deleteIfExists(sink);
            Files.createFile(sink);
        }
        Job job = new Job(
                kernel,
                transfers,
                request.file(),
                position,
                length,
                subject.pieceBytes,
                other.peer().address(),
                paths.getOrDefault(subject.state, NetworkPath.UNKNOWN),
                sink,
                direction.readsFile() ? prepare(position, length, subject.cold) : 1,
                kept);
        Meter meter = new Meter(kernel);
        if (direction == Direction.FILE_TO_SOCKET) {
            other.peer().drain(subject.way.arrivingBytes(length));
        } else if (direction == Direction.SOCKET_TO_FILE) {
            other.peer().feed(position, length, subject.way.wantsWholePages());
        }
        Cost cost = subject.way.move(job, meter);
        long endNs = meter.startNs() + meter.usage().elapsedNs();
        String what = subject.way.family().label() + " " + subject.way.name();
        long peerCpuNs = -1;
        switch (direction) {
            case FILE_TO_SOCKET -> {
                Peer.Result result = other.peer().drained();
                endNs = System.nanoTime();
                peerCpuNs = result.cpuNs();
                // What was encrypted is more than went in; it is checked where it is opened again.
                if (subject.way.arrivingBytes(length) == length) {
                    expected.range(position, length).check(result.sums(), what);
                }
            }
            case SOCKET_TO_FILE -> {
                peerCpuNs = other.peer().fed().cpuNs();
                checkSink(position, length, what);
            }
            case FILE_TO_FILE -> {
                if (subject.way instanceof SealedWay) {
                    checkLength(subject.way.arrivingBytes(length));
                    if (length <= SealedWay.MOST_OPENED_BYTES) { // every warm-up is
                        expected.range(position, length).check(SealedWay.opened(kernel, sink, length), what);
                    }
                } else {
                    checkSink(position, length, what);
                }
            }
            case MEMORY_TO_FILE -> {
                checkLength(length);
                Stamped.check(sink, length, pieceBytesOf(subject), what);
            }
            case FILE_TO_MEMORY -> {
                if (kept != null) {
                    expected.range(position, length).check(Checksums.of(kept), what);
                }
            }
        }
        return new Sample(length, endNs - meter.startNs(), meter.usage(), peerCpuNs, cost);
    }

    /// Direct writes round pieces up to pages.
    private static int pieceBytesOf(Subject subject) {
        return subject.way instanceof DiskWay disk ? disk.pieceBytes(subject.pieceBytes) : subject.pieceBytes;
    }

    private void checkSink(long position, long length, String what) throws IOException {
        checkLength(length);
        expected.range(position, length).check(Checksums.of(sink, 0, length), what);
    }

    private void checkLength(long length) throws IOException {
        if (Files.size(sink) != length) {
            throw new EOFException("the file has " + Files.size(sink) + " of " + length + " bytes");
        }
    }

    /// Puts the range into the state that was asked for, and answers how much of it is in the page cache.
    private double prepare(long position, long length, boolean cold) throws IOException {
        try (Descriptor file =
                Endpoint.openSource(kernel, request.file(), kernel.account()).descriptor()) {
            if (cold) {
                kernel.files().advise(file, position, length, dev.sluice.io.linux.Files.FADV_DONTNEED);
            }
            long resident = kernel.pageCache().residentBytes(file, position, length);
            if (!cold && resident != Math.ceilDiv(position + length, PAGE) * PAGE - position / PAGE * PAGE) {
                // A cold move, or a direct one, went before.
                Checksums.of(request.file(), position, length);
                resident = kernel.pageCache().residentBytes(file, position, length);
            }
            return resident < 0 ? (cold ? 0 : 1) : Math.min(1, (double) resident / length);
        }
    }

    private NetworkPath path() throws IOException {
        other.peer().drain(0);
        try (Endpoint.Socket socket = Endpoint.connect(kernel, other.peer().address(), true, 0, kernel.account())) {
            other.peer().drained();
            return NetworkPath.of(kernel, socket.descriptor());
        }
    }

    /// Asks the planner of each direction, between the very ends that are measured.
    private Map<Direction, Plan> plans() throws IOException {
        Map<Direction, Plan> plans = new EnumMap<>(Direction.class);
        other.peer().drain(0);
        try (Endpoint.File source = Endpoint.openSource(kernel, request.file(), kernel.account());
                Endpoint.File target = Endpoint.openSink(kernel, sink, false, kernel.account());
                Endpoint.Socket socket = Endpoint.connect(kernel, other.peer().address(), true, 0, kernel.account())) {
            plans.put(Direction.FILE_TO_SOCKET, plan(source, socket));
            plans.put(Direction.SOCKET_TO_FILE, plan(socket, target));
            plans.put(Direction.FILE_TO_FILE, plan(source, target));
        }
        other.peer().drained();
        return plans;
    }

    private Plan plan(Endpoint source, Endpoint target) throws ErrnoException {
        return transfers.plan(source, target, Transfer.UNTIL_END, TransferOptions.DEFAULT);
    }

    private List<Row> rows(Map<Direction, Plan> plans) {
        List<Row> rows = new ArrayList<>();
        for (Subject subject : subjects) {
            Way way = subject.way;
            Plan plan = plans.get(way.direction());
            rows.add(new Row(
                    way.direction(),
                    way.family().label(),
                    way.name(),
                    way.hasPieces() ? subject.pieceBytes : 0,
                    subject.state,
                    subject.cold,
                    subject.swept,
                    plan != null
                            && way instanceof SluiceWay ours
                            && ours.method() == plan.method()
                            && !ours.prefaulted(),
                    List.copyOf(subject.samples),
                    Optional.ofNullable(subject.unavailable)));
        }
        return rows;
    }
}
