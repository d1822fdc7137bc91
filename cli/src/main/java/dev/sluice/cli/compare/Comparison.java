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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
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

    /// What to compare.
    ///
    /// @param file       the user's file, not empty
    /// @param folder     where files are written to
    /// @param pieceSizes bytes a call is asked to move, ascending
    /// @param runs       at least 1
    /// @param budgetNs   how long to take in all, roughly
    /// @param cold       whether the part of the file to be moved is thrown out of the page cache before each move
    public record Request(Path file, Path folder, List<Integer> pieceSizes, int runs, long budgetNs, boolean cold) {}

    /// A way with a size.
    private static final class Subject {
        final Way way;
        final int pieceBytes;
        final List<Sample> samples = new ArrayList<>();
        long lengthBytes;
        long position;
        long roundNs;

        @Nullable String unavailable;

        Subject(Way way, int pieceBytes) {
            this.way = way;
            this.pieceBytes = pieceBytes;
        }
    }

    private final Request request;
    private final Runnable listener;
    private final BooleanSupplier cancelled;
    private final Kernel kernel = new Kernel();
    private final List<Subject> subjects;
    private final long fileBytes;
    private final Checksums expected;
    private final Path sink;
    private @Nullable Peer peer;
    private NetworkPath path = NetworkPath.UNKNOWN;

    private Comparison(Request request, Runnable listener, BooleanSupplier cancelled, Path sink) throws IOException {
        this.request = request;
        this.listener = listener;
        this.cancelled = cancelled;
        this.sink = sink;
        this.fileBytes = Files.size(request.file());
        // Brings the file into the page cache, too.
        this.expected = Checksums.of(request.file(), 0, fileBytes);
        this.subjects = subjects(request);
    }

    private static List<Subject> subjects(Request request) {
        List<Subject> subjects = new ArrayList<>();
        for (Direction direction : Direction.values()) {
            List<Way> ways = new ArrayList<>(SluiceWay.all(direction));
            ways.addAll(JdkWay.all(direction));
            for (Way way : ways) {
                for (int piece : way.hasPieces()
                        ? request.pieceSizes()
                        : List.of(request.pieceSizes().getLast())) {
                    subjects.add(new Subject(way, piece));
                }
            }
        }
        return subjects;
    }

    /// How often the listener of [#run] will be told.
    public static int moves(Request request) {
        return subjects(request).size() * (request.runs() + 1);
    }

    /// Runs it, on the calling thread.
    ///
    /// @param listener  told after each move, measured or not
    /// @param cancelled asked between moves
    /// @throws IOException           when the file or the folder can't be used, or anything was delivered wrong
    /// @throws CancellationException when it was cancelled; nothing is left behind
    public static Report run(Request request, Runnable listener, BooleanSupplier cancelled) throws IOException {
        Path sink = Files.createTempFile(request.folder(), ".sluice-compare-", ".tmp");
        try {
            Comparison comparison = new Comparison(request, listener, cancelled, sink);
            try (Transfers transfers = new Transfers(comparison.kernel)) {
                return comparison.measure(transfers);
            } finally {
                comparison.closePeer();
            }
        } finally {
            Files.deleteIfExists(sink);
        }
    }

    private Report measure(Transfers transfers) throws IOException {
        long startNs = System.nanoTime();
        path = path();
        for (Subject subject : subjects) {
            warmUp(subject, transfers);
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
            for (Subject subject : subjects) {
                if (subject.unavailable == null) {
                    subject.samples.add(once(subject, transfers));
                }
                listener.run();
            }
        }
        // Only now has the planner seen what this machine refuses.
        Map<Direction, Plan> plans = plans(transfers);
        Map<Direction, String> sentences = new EnumMap<>(Direction.class);
        plans.forEach((direction, plan) -> sentences.put(direction, plan.toString()));
        return new Report(Setting.of(request, kernel, path, fileBytes), sentences, rows(plans));
    }

    private void warmUp(Subject subject, Transfers transfers) throws IOException {
        if (subject.way.movesWholeFiles() && fileBytes > JdkWay.LARGEST_WHOLE_BYTES) {
            subject.unavailable = "copies a file as a whole, and this one is too large for that";
            return;
        }
        try {
            timed(subject, transfers, FIRST_BYTES);
            if (subject.roundNs < SLOW_NS) {
                timed(subject, transfers, WARM_UP_BYTES);
            }
        } catch (Unavailable e) {
            subject.unavailable = e.getMessage();
        }
    }

    private void timed(Subject subject, Transfers transfers, long bytes) throws IOException {
        subject.lengthBytes = Math.min(fileBytes, bytes);
        long beganNs = System.nanoTime();
        once(subject, transfers);
        subject.roundNs = System.nanoTime() - beganNs;
    }

    /// As much as a way moves in that time, in whole blocks; checking what arrived is in it.
    private long share(Subject subject, long shareNs) {
        if (subject.way.movesWholeFiles()) {
            return fileBytes;
        }
        double bytes = (double) subject.lengthBytes * shareNs / Math.max(1, subject.roundNs);
        double least = subject.roundNs < SLOW_NS ? LEAST_BYTES : BLOCK;
        long wanted = (long) Math.max(least, Math.min(bytes, MOST_BYTES)) / BLOCK * BLOCK;
        return Math.min(wanted, fileBytes);
    }

    /// One move, checked. The peer is replaced if it fails, for nobody knows what it waits for.
    private Sample once(Subject subject, Transfers transfers) throws IOException {
        if (cancelled.getAsBoolean()) {
            throw new CancellationException();
        }
        long length = subject.way.movesWholeFiles() ? fileBytes : subject.lengthBytes;
        long position = subject.position + length > fileBytes ? 0 : subject.position;
        subject.position = position + length;
        try {
            return move(subject, transfers, position, length);
        } catch (Unavailable e) {
            closePeer();
            throw e;
        } catch (IOException e) {
            closePeer();
            throw new IOException(
                    subject.way.family().label() + " " + subject.way.name() + ", "
                            + subject.way.direction().label() + ": " + e.getMessage(),
                    e);
        }
    }

    private Sample move(Subject subject, Transfers transfers, long position, long length) throws IOException {
        Direction direction = subject.way.direction();
        Peer other = peer();
        // A new file each time: what it costs to fill a file's pages for the first time is a part of every copy.
        Files.deleteIfExists(sink);
        Files.createFile(sink);
        Job job = new Job(
                kernel,
                transfers,
                request.file(),
                position,
                length,
                subject.pieceBytes,
                other.address(),
                path,
                sink,
                prepare(position, length));
        Meter meter = new Meter(kernel);
        if (direction == Direction.FILE_TO_SOCKET) {
            other.drain(length);
        } else if (direction == Direction.SOCKET_TO_FILE) {
            other.feed(position, length);
        }
        Cost cost = subject.way.move(job, meter);
        long endNs = meter.startNs() + meter.usage().elapsedNs();
        Checksums wanted = expected.range(position, length);
        String what = subject.way.family().label() + " " + subject.way.name();
        if (direction == Direction.FILE_TO_SOCKET) {
            Checksums received = other.received();
            endNs = System.nanoTime();
            wanted.check(received, what);
        } else {
            if (direction == Direction.SOCKET_TO_FILE) {
                other.sent();
            }
            if (Files.size(sink) != length) {
                throw new EOFException("the file has " + Files.size(sink) + " of " + length + " bytes");
            }
            wanted.check(Checksums.of(sink, 0, length), what);
        }
        return new Sample(length, endNs - meter.startNs(), meter.usage(), cost);
    }

    /// Puts the range into the state that was asked for, and answers how much of it is in the page cache.
    private double prepare(long position, long length) throws IOException {
        try (Descriptor file =
                Endpoint.openSource(kernel, request.file(), kernel.account()).descriptor()) {
            if (request.cold()) {
                kernel.files().advise(file, position, length, dev.sluice.io.linux.Files.FADV_DONTNEED);
            }
            long resident = kernel.pageCache().residentBytes(file, position, length);
            return resident < 0 ? (request.cold() ? 0 : 1) : Math.min(1, (double) resident / length);
        }
    }

    private Peer peer() throws IOException {
        Peer open = peer;
        if (open == null) {
            open = Peer.start(request.file());
            peer = open;
        }
        return open;
    }

    private void closePeer() {
        if (peer != null) {
            peer.close();
            peer = null;
        }
    }

    private NetworkPath path() throws IOException {
        Peer other = peer();
        other.drain(0);
        try (Endpoint.Socket socket = Endpoint.connect(kernel, other.address(), true, 0, kernel.account())) {
            other.received();
            return NetworkPath.of(kernel, socket.descriptor());
        }
    }

    /// Asks the planner of each direction, between the very ends that are measured.
    private Map<Direction, Plan> plans(Transfers transfers) throws IOException {
        Map<Direction, Plan> plans = new EnumMap<>(Direction.class);
        Peer other = peer();
        other.drain(0);
        try (Endpoint.File source = Endpoint.openSource(kernel, request.file(), kernel.account());
                Endpoint.File target = Endpoint.openSink(kernel, sink, false, kernel.account());
                Endpoint.Socket socket = Endpoint.connect(kernel, other.address(), true, 0, kernel.account())) {
            plans.put(Direction.FILE_TO_SOCKET, plan(transfers, source, socket));
            plans.put(Direction.SOCKET_TO_FILE, plan(transfers, socket, target));
            plans.put(Direction.FILE_TO_FILE, plan(transfers, source, target));
        }
        other.received();
        return plans;
    }

    private static Plan plan(Transfers transfers, Endpoint source, Endpoint target) throws ErrnoException {
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
                    plan != null && way instanceof SluiceWay ours && ours.method() == plan.method(),
                    List.copyOf(subject.samples),
                    Optional.ofNullable(subject.unavailable)));
        }
        return rows;
    }
}
