package dev.sluice.log.local;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.MemoryFiles;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.linux.UnixSockets;
import dev.sluice.io.memory.Mapping;
import dev.sluice.log.local.LocalLogException.Reason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A connection to a broker of the same host, to read its logs in the log's own pages.
///
/// ```java
/// try (LocalLog log = LocalLog.connect(Path.of("/var/lib/sluice/local.sock"));
///         LocalReader reader = log.open("orders", 0, LocalLog.BEGINNING)) {
///     while (true) {
///         while (reader.next()) {
///             handle(reader.record().offset(), reader.record().value());
///         }
///         log.await(1_000_000_000);
///     }
/// }
/// ```
///
/// The broker passes read-only descriptors of segments, and a page on which it publishes how far they may be read.
/// While a reader is behind it makes no system call but one or two for each window of 8 MiB, and a few for each
/// segment; the broker does nothing at all for it. At the end [#await] sleeps on a word of that page.
///
/// **Threads**: one, which opens, reads, waits and closes. A virtual thread pins its carrier while it waits.
/// **Memory**: two pages and, for each reader, a map of the segment it is in; all gone with [#close]. What is mapped of
/// the log is the page cache's: it counts as resident here, and is not copied.
/// **What is given away**: a broker can't take back a descriptor it has passed. See `docs/formats/local-reading.md`.
public final class LocalLog implements AutoCloseable {
    /// In the place of an offset: at the oldest record.
    public static final long BEGINNING = LocalRequest.BEGINNING;
    /// In the place of an offset: behind the newest record.
    public static final long END = LocalRequest.END;

    /// A broker that waits for its disk answers late; one that does not answer at all must not be waited for for
    /// ever.
    private static final long ANSWER_TIMEOUT_NS = 30_000_000_000L;
    /// How long it is slept before it is looked whether the broker is still there: nobody wakes a reader whose
    /// broker was killed.
    private static final long SLICE_NS = 500_000_000;

    /// How records are read.
    ///
    /// @param checksCrc    whether each batch's checksum is verified, from a private copy: bytes that changed on
    ///     the disk, and the zeros that a truncated file shows, are told from records
    /// @param decompressor opens compressed records; null when there are none
    public record Options(boolean checksCrc, @Nullable Decompressor decompressor) {
        /// Checksums are verified, compressed records refused.
        public static Options standard() {
            return new Options(true, null);
        }

        /// Compressed records are read too.
        ///
        /// @param newDecompressor called by the reader's thread
        public Options withDecompressor(Decompressor newDecompressor) {
            return new Options(checksCrc, newDecompressor);
        }

        /// Without verifying any: cheaper, and bytes that changed on the disk are read as they are.
        public Options withoutChecksums() {
            return new Options(false, decompressor);
        }
    }

    private final Kernel kernel;
    private final Path path;
    private final Options options;
    private final Descriptor socket;
    private final Mapping pageMapping;
    private final Mapping waitingMapping;
    private final EndPage page;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment scratch = arena.allocate(LocalReply.MAX_BYTES, 8);
    private final List<LocalReader> readers = new ArrayList<>();
    /// Why the answer to a request stayed away, which may still come: the next one must not take it for its own.
    private @Nullable String unanswered;
    private boolean closed;

    private LocalLog(
            Kernel kernel,
            Path path,
            Options options,
            Descriptor socket,
            Mapping pageMapping,
            Mapping waitingMapping,
            EndPage page) {
        this.kernel = kernel;
        this.path = path;
        this.options = options;
        this.socket = socket;
        this.pageMapping = pageMapping;
        this.waitingMapping = waitingMapping;
        this.page = page;
    }

    // ---- How it starts

    /// Connects with the standard options.
    ///
    /// @param socket the broker's `sluice.local.socket`; its first screen and `sluice status` tell the path
    /// @throws LocalLogException when nobody answers there, or we are not let in
    public static LocalLog connect(Path socket) throws LocalLogException {
        return connect(new Kernel(), socket, Options.standard());
    }

    /// Connects.
    ///
    /// @throws LocalLogException as above
    public static LocalLog connect(Kernel kernel, Path path, Options options) throws LocalLogException {
        return connect(kernel, path, options, ANSWER_TIMEOUT_NS);
    }

    /// Connects.
    ///
    /// @param timeoutNs for which a connection, an answer or room for a question is waited for
    static LocalLog connect(Kernel kernel, Path path, Options options, long timeoutNs) throws LocalLogException {
        Account account = kernel.account();
        try {
            Descriptor socket = kernel.unixSockets().seqpacket(true, account).orThrow();
            try (Arena arena = Arena.ofConfined()) {
                kernel.sockets().setTimeout(socket, false, timeoutNs);
                kernel.sockets().setTimeout(socket, true, timeoutNs); // of connect(2) too, while the backlog is full
                long connected = kernel.sockets().connect(socket, UnixDomainSocketAddress.of(path));
                if (connected < 0) {
                    throw unreachable(path, (int) -connected);
                }
                MemorySegment scratch = arena.allocate(LocalReply.MAX_BYTES, 8);
                LocalRequest hello = new LocalRequest.Hello(LocalRequest.MAGIC, LocalRequest.VERSION);
                Answer answer = ask(kernel, path, socket, scratch, hello, 2);
                try {
                    return welcomed(kernel, path, options, socket, answer);
                } finally {
                    answer.received.closeDescriptors();
                }
            } catch (LocalLogException | ErrnoException | RuntimeException | Error e) {
                socket.close();
                throw e;
            }
        } catch (IllegalArgumentException e) { // a path that no socket can have
            throw new LocalLogException(Reason.BROKER_GONE, e.getMessage() == null ? path.toString() : e.getMessage());
        } catch (ErrnoException e) {
            throw new LocalLogException(Reason.BROKER_GONE, "Can't connect to " + path + ": " + e.getMessage());
        }
    }

    private static LocalLogException unreachable(Path path, int errno) {
        return switch (errno) {
            case Errno.ENOENT, Errno.ECONNREFUSED ->
                new LocalLogException(
                        Reason.BROKER_GONE,
                        "No broker takes local readers at " + path
                                + ": start one on this host, or see sluice status for the path of its socket");
            case Errno.EAGAIN ->
                new LocalLogException(
                        Reason.BROKER_GONE,
                        "The broker behind " + path
                                + " takes no connections: it is stopped or overloaded; look at it, and try again");
            case Errno.EACCES, Errno.EPERM ->
                new LocalLogException(
                        Reason.NOT_ALLOWED,
                        "The mode of " + path + " lets this user not connect: run as the broker's user, or name this"
                                + " one in the broker's sluice.local.users");
            default ->
                new LocalLogException(Reason.BROKER_GONE, "Can't connect to " + path + ": " + Errno.describe(errno));
        };
    }

    private static LocalLog welcomed(Kernel kernel, Path path, Options options, Descriptor socket, Answer answer)
            throws LocalLogException, ErrnoException {
        List<Descriptor> passed = answer.received.descriptors();
        if (!(answer.reply instanceof LocalReply.Welcome welcome)
                || welcome.magic() != LocalRequest.MAGIC
                || welcome.version() != LocalRequest.VERSION
                || passed.size() != 2) {
            throw strange(path);
        }
        for (Descriptor file : passed) {
            // Sealed against shrinking, so that no look at it can end us.
            if ((kernel.memoryFiles().seals(file) & MemoryFiles.F_SEAL_SHRINK) == 0
                    || kernel.files().status(file).sizeBytes() < EndPage.BYTES) {
                throw strange(path);
            }
        }
        Mapping pageMapping = Mapping.ofFile(kernel, passed.get(0), 0, EndPage.BYTES, false);
        try {
            EndPage page = new EndPage(pageMapping.segment());
            if (!page.isValid()) {
                throw strange(path);
            }
            Mapping waiting = Mapping.ofFile(kernel, passed.get(1), 0, EndPage.BYTES, true);
            return new LocalLog(kernel, path, options, socket, pageMapping, waiting, page);
        } catch (LocalLogException | ErrnoException | RuntimeException | Error e) {
            pageMapping.close();
            throw e;
        }
    }

    private static LocalLogException strange(Path path) {
        return new LocalLogException(
                Reason.MALFORMED,
                "What answers at " + path + " is no Sluice broker, or one of another version: use its own client");
    }

    // ---- Asking

    /// A message and what came with it, whose descriptors the caller closes.
    private record Answer(LocalReply reply, UnixSockets.Received received) {}

    private static Answer ask(
            Kernel kernel,
            Path path,
            Descriptor socket,
            MemorySegment scratch,
            LocalRequest request,
            int mostDescriptors)
            throws LocalLogException {
        ByteBuffer message = request.encode();
        MemorySegment bytes = scratch.asSlice(0, message.remaining());
        bytes.copyFrom(MemorySegment.ofBuffer(message));
        long sent;
        do {
            sent = kernel.sockets().send(socket, bytes, Sockets.MSG_NOSIGNAL);
        } while (sent == -Errno.EINTR);
        if (sent == -Errno.EAGAIN) {
            throw gone(path, "reads no requests");
        }
        UnixSockets.Received received;
        do {
            // Also when it could not be sent: what the broker said before it went away says why.
            received = kernel.unixSockets().receive(socket, scratch, mostDescriptors, 0, socket.account());
            // ECONNRESET: it closed without reading what we sent; what it said before comes behind that.
        } while (received.result() == -Errno.EINTR || received.result() == -Errno.ECONNRESET);
        if (received.result() <= 0) {
            received.closeDescriptors();
            throw gone(path, received.result() == -Errno.EAGAIN ? "does not answer" : "is gone");
        }
        LocalReply reply =
                LocalReply.parse(scratch.asSlice(0, received.result()).asByteBuffer());
        if (reply == null || received.isTruncated() || reply instanceof LocalReply.Refused) {
            received.closeDescriptors();
            if (reply instanceof LocalReply.Refused refused) {
                throw new LocalLogException(refused.reason(), refused.sentence(), refused.earliest(), refused.latest());
            }
            throw strange(path);
        }
        return new Answer(reply, received);
    }

    /// Asks on this connection, of which nothing can be asked any more once an answer has stayed away.
    private Answer ask(LocalRequest request, int mostDescriptors) throws LocalLogException {
        if (unanswered != null) {
            throw new LocalLogException(Reason.BROKER_GONE, unanswered);
        }
        try {
            return ask(kernel, path, socket, scratch, request, mostDescriptors);
        } catch (LocalLogException e) {
            unanswered = e.reason() == Reason.BROKER_GONE ? e.getMessage() : null;
            throw e;
        }
    }

    private static LocalLogException gone(Path path, String what) {
        return new LocalLogException(
                Reason.BROKER_GONE,
                "The broker behind " + path + " " + what + "; connect again and go on at position()");
    }

    LocalLogException stopped() {
        return gone(path, "has stopped");
    }

    /// A segment that was asked for, and its file.
    record Passed(LocalReply.Segment segment, SegmentMap map) {}

    /// Asks for a segment, and maps it.
    Passed segment(String name, LocalRequest request) throws LocalLogException {
        checkOpen();
        Answer answer = ask(request, 1);
        if (!(answer.reply instanceof LocalReply.Segment segment)
                || answer.received.descriptors().size() != 1
                || segment.slot() >= EndPage.SLOTS) {
            answer.received.closeDescriptors();
            throw strange(path);
        }
        Descriptor file = answer.received.descriptors().getFirst();
        long mapBytes =
                segment.isSealed() ? segment.endPosition() : Math.max(segment.segmentBytes(), segment.endPosition());
        try {
            Descriptor named =
                    kernel.adopt(file.number(), name + ", segment " + segment.baseOffset(), socket.account());
            return new Passed(segment, new SegmentMap(kernel, named, segment.baseOffset(), mapBytes));
        } catch (ErrnoException e) {
            file.close();
            throw new LocalLogException(
                    Reason.UNREADABLE,
                    "A segment of " + name + " can't be mapped: " + e.getMessage()
                            + "; raise vm.max_map_count or the limit of address space");
        }
    }

    /// Lets go of a partition.
    void close(LocalReader reader, int slot) {
        readers.remove(reader);
        if (!closed) {
            try {
                ask(new LocalRequest.Close(slot), 0);
            } catch (LocalLogException e) {
                // The broker is gone, and with it what we would have it let go of.
            }
        }
    }

    // ---- Reading

    /// Opens a partition.
    ///
    /// @param offset the first record wanted, from the log start offset to the high watermark; [#BEGINNING] or
    ///               [#END]
    /// @return a reader; closed by its own close, or with this log
    /// @throws LocalLogException when there is no such partition, it has no such offset, or the broker is gone
    public LocalReader open(String topic, int partition, long offset) throws LocalLogException {
        Passed passed = segment(topic + "-" + partition, new LocalRequest.Open(topic, partition, offset));
        LocalReader reader = new LocalReader(this, options, page, topic, partition, passed);
        readers.add(reader);
        return reader;
    }

    /// Sleeps until one of the readers may go on, or the time is over.
    ///
    /// @param timeoutNs 0 or less not to sleep
    /// @return whether one may: its [LocalReader#next] finds a record, or says why there will be none
    /// @throws LocalLogException when the broker is gone
    public boolean await(long timeoutNs) throws LocalLogException {
        checkOpen();
        long startNs = System.nanoTime();
        MemorySegment waiting = waitingMapping.segment();
        try {
            while (true) {
                int changes = page.beginWaiting(waiting); // before the ends are looked at: see EndPage
                if (canGoOn()) {
                    return true;
                }
                long leftNs = timeoutNs - (System.nanoTime() - startNs);
                if (leftNs <= 0) {
                    return false;
                }
                long result = kernel.futexes().await(page.changesWord(), changes, Math.min(leftNs, SLICE_NS));
                if (result == -Errno.ETIMEDOUT && isBrokerGone()) {
                    throw gone(path, "is gone");
                }
            }
        } finally {
            EndPage.endWaiting(waiting);
        }
    }

    private boolean canGoOn() {
        for (LocalReader reader : readers) {
            if (reader.canGoOn()) {
                return true;
            }
        }
        return false;
    }

    private boolean isBrokerGone() {
        long result = kernel.sockets().recv(socket, scratch, Sockets.MSG_PEEK | Sockets.MSG_DONTWAIT);
        return result != -Errno.EAGAIN && result != -Errno.EINTR && result <= 0;
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("The connection to " + path + " was closed");
        }
    }

    /// Closes the readers too. Closing twice changes nothing.
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        List.copyOf(readers).forEach(LocalReader::close);
        socket.close();
        pageMapping.close();
        waitingMapping.close();
        arena.close();
    }
}
