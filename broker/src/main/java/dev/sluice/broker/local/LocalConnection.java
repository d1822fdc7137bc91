package dev.sluice.broker.local;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.PeerCredentials;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.loop.ReadyListener;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.SegmentOutcome;
import dev.sluice.log.local.EndPage;
import dev.sluice.log.local.LocalLogException.Reason;
import dev.sluice.log.local.LocalReply;
import dev.sluice.log.local.LocalRequest;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One local reader's connection.
///
/// ```
///   accepted ──HELLO──▶ welcomed ──OPEN, NEXT, CLOSE──▶ welcomed
///       │                  │
///       └── too late ──────┴── gone, reads no answers, says nonsense ──▶ closed
/// ```
///
/// Nothing the peer does is waited for: a message is read when it is there, an answer that does not fit at once ends
/// the connection. Its send buffer is the smallest there is, so a peer that reads nothing is found out after a few
/// answers, which bounds the descriptors that are under way to it.
///
/// Owned by the server's thread.
final class LocalConnection implements ReadyListener {
    private static final Logger LOG = LoggerFactory.getLogger(LocalConnection.class);

    /// Less than the kernel's least, which it becomes (SOCK_MIN_SNDBUF).
    private static final int SEND_BUFFER_BYTES = 1;
    /// Retention may delete the first segment between the look and the question, but not often in a row.
    private static final int TRIES = 10;

    private final Kernel kernel;
    private final LocalServer server;
    private final Catalogue catalogue;
    private final Descriptor socket;
    private final PeerCredentials peer;
    private final MemorySegment scratch;
    private final long acceptedNs;
    private final @Nullable Subscription[] subscriptions = new Subscription[EndPage.SLOTS];

    private EventLoop.@Nullable Registration registration;
    private @Nullable SharedPages pages;
    private boolean closed;

    /// @param socket  taken over
    /// @param scratch of [LocalReply#MAX_BYTES], the server's; used within a call
    LocalConnection(
            Kernel kernel,
            LocalServer server,
            Catalogue catalogue,
            Descriptor socket,
            PeerCredentials peer,
            MemorySegment scratch,
            long acceptedNs) {
        this.kernel = kernel;
        this.server = server;
        this.catalogue = catalogue;
        this.socket = socket;
        this.peer = peer;
        this.scratch = scratch;
        this.acceptedNs = acceptedNs;
    }

    void begin(EventLoop.Registration newRegistration) {
        registration = newRegistration;
        kernel.sockets().setOption(socket, Sockets.SOL_SOCKET, Sockets.SO_SNDBUF, SEND_BUFFER_BYTES);
    }

    /// Whether it has not said who it is since `deadlineNs`.
    boolean isLate(long nowNs, long deadlineNs) {
        return pages == null && nowNs - acceptedNs > deadlineNs;
    }

    // ---- Being asked

    @Override
    public void ready(int events) {
        long length = kernel.sockets()
                .recv(socket, scratch.asSlice(0, LocalRequest.MAX_BYTES), Sockets.MSG_DONTWAIT | Sockets.MSG_TRUNC);
        if (length == -Errno.EAGAIN || length == -Errno.EINTR) {
            return;
        }
        if (length <= 0) {
            close();
            return;
        }
        LocalRequest request = length > LocalRequest.MAX_BYTES
                ? null
                : LocalRequest.parse(scratch.asSlice(0, length).asByteBuffer());
        if (request == null || (request instanceof LocalRequest.Hello) != (pages == null)) {
            refuse(
                    Reason.MALFORMED,
                    "That is no request that this broker knows; it speaks version " + LocalRequest.VERSION);
            return;
        }
        switch (request) {
            case LocalRequest.Hello hello -> welcome(hello);
            case LocalRequest.Open open -> open(open);
            case LocalRequest.Next next -> goOn(next);
            case LocalRequest.Close close -> release(close.slot());
        }
    }

    @Override
    public void failed(Throwable thrown) {
        LOG.error("Serving the local reader of process {} failed; its connection is closed", peer.pid(), thrown);
        close();
    }

    private void welcome(LocalRequest.Hello hello) {
        if (hello.magic() != LocalRequest.MAGIC || hello.version() != LocalRequest.VERSION) {
            refuse(Reason.MALFORMED, "This broker speaks version " + LocalRequest.VERSION + " of local reading");
            return;
        }
        try {
            SharedPages made = SharedPages.create(kernel, account());
            pages = made;
            send(new LocalReply.Welcome(EndPage.SLOTS, LocalRequest.MAGIC, LocalRequest.VERSION), made.files());
            made.passed();
        } catch (ErrnoException e) {
            refuse(Reason.BUSY, "The broker has no page for another reader: " + e.getMessage());
        }
    }

    private void open(LocalRequest.Open open) {
        Topic topic = catalogue.image().topic(open.topic());
        Partition partition = topic == null ? null : topic.partition(open.partition());
        int slot = freeSlot();
        if (partition == null) {
            answer(new LocalReply.Refused(
                    Reason.UNKNOWN_PARTITION,
                    "There is no partition " + open.partition() + " of a topic '" + open.topic()
                            + "'; sluice topic list shows the topics there are"));
        } else if (slot < 0) {
            answer(new LocalReply.Refused(
                    Reason.BUSY, "A connection has " + EndPage.SLOTS + " partitions at most: open another"));
        } else {
            Subscription subscription = new Subscription(peer, partition.log(), pages(), slot);
            subscriptions[slot] = subscription;
            subscription.begin();
            server.opened(subscription);
            if (!pass(subscription, open.offset())) {
                end(subscription);
            }
        }
    }

    private int freeSlot() {
        for (int slot = 0; slot < subscriptions.length; slot++) {
            if (subscriptions[slot] == null) {
                return slot;
            }
        }
        return -1;
    }

    private void goOn(LocalRequest.Next next) {
        Subscription subscription = subscription(next.slot());
        if (subscription == null) {
            refuse(Reason.MALFORMED, "Nothing is open in slot " + next.slot());
        } else {
            pass(subscription, next.offset());
        }
    }

    private void release(int slot) {
        Subscription subscription = subscription(slot);
        if (subscription != null) {
            end(subscription);
        }
        answer(new LocalReply.Closed(slot));
    }

    private @Nullable Subscription subscription(int slot) {
        return slot < subscriptions.length ? subscriptions[slot] : null;
    }

    private void end(Subscription subscription) {
        subscription.end();
        subscriptions[subscription.slot()] = null;
        server.closed(subscription);
    }

    // ---- Passing segments

    /// Passes the segment that `offset` lies in, or says why not.
    private boolean pass(Subscription subscription, long offset) {
        PartitionLog log = subscription.log();
        String name = log.topic() + "-" + log.partition();
        try {
            long asked = offset;
            SegmentOutcome outcome = new SegmentOutcome.Closed();
            for (int i = 0; i < TRIES; i++) {
                asked = resolved(log, offset);
                outcome = log.segmentFor(asked);
                if (offset >= 0 || !(outcome instanceof SegmentOutcome.OutOfRange)) {
                    break;
                }
            }
            return switch (outcome) {
                case SegmentOutcome.Found found -> pass(subscription, found, asked);
                case SegmentOutcome.OutOfRange(long start, long end) ->
                    refused(new LocalReply.Refused(
                            Reason.OFFSET_OUT_OF_RANGE,
                            start,
                            end,
                            name + " has no offset " + asked + ": it begins at " + start + " and ends before " + end));
                case SegmentOutcome.Closed _ -> refused(new LocalReply.Refused(Reason.DELETED, name + " was deleted"));
            };
        } catch (IOException e) {
            LOG.warn("{} can't be passed to the local reader of process {}: {}", name, peer.pid(), e.getMessage());
            return refused(new LocalReply.Refused(Reason.STORAGE, name + " can't be read: " + e.getMessage()));
        }
    }

    private static long resolved(PartitionLog log, long offset) {
        if (offset == LocalRequest.END) {
            return log.highWatermark();
        }
        return offset == LocalRequest.BEGINNING ? log.logStartOffset() : offset;
    }

    private boolean pass(Subscription subscription, SegmentOutcome.Found found, long offset) throws ErrnoException {
        try {
            // Opened anew through the descriptor: an open file of its own, read-only, and the same file even if its
            // name is another's by now.
            Path path = Path.of("/proc/self/fd/" + found.file().number());
            try (Descriptor file =
                    kernel.files().open(path, Files.O_RDONLY, 0, account()).orThrow()) {
                LocalReply reply = new LocalReply.Segment(
                        subscription.slot(),
                        found.isSealed(),
                        offset,
                        found.baseOffset(),
                        found.position(),
                        found.endPosition(),
                        subscription.log().config().segmentBytes());
                subscription.passed(found);
                send(reply, List.of(file));
            }
            return true;
        } finally {
            found.hold().release();
        }
    }

    private boolean refused(LocalReply.Refused reply) {
        answer(reply);
        return false;
    }

    // ---- Answering

    private void answer(LocalReply reply) {
        send(reply, List.of());
    }

    private void refuse(Reason reason, String sentence) {
        answer(new LocalReply.Refused(reason, sentence));
        close();
    }

    private void send(LocalReply reply, List<Descriptor> passed) {
        if (closed) {
            return;
        }
        long sent = send(kernel, socket, scratch, reply, passed);
        if (sent < 0) {
            if (sent != -Errno.EPIPE && sent != -Errno.ECONNRESET) {
                LOG.info(
                        "The local reader of process {} takes no answers ({}); its connection is closed",
                        peer.pid(),
                        Errno.describe((int) -sent));
            }
            close();
        }
    }

    /// Sends an answer, or as much as can be done without waiting: all of it or nothing.
    static long send(
            Kernel kernel, Descriptor socket, MemorySegment scratch, LocalReply reply, List<Descriptor> passed) {
        ByteBuffer message = reply.encode();
        MemorySegment bytes = scratch.asSlice(0, message.remaining());
        bytes.copyFrom(MemorySegment.ofBuffer(message));
        return kernel.unixSockets().send(socket, bytes, passed, Sockets.MSG_DONTWAIT);
    }

    private Account account() {
        return socket.account();
    }

    private SharedPages pages() {
        SharedPages shared = pages;
        if (shared == null) {
            throw new IllegalStateException("Asked before it was welcomed");
        }
        return shared;
    }

    // ---- The end

    /// The broker stops: the reader is told, and finds the connection closed when it next asks.
    void stop() {
        if (pages != null) {
            pages.stop();
        }
        close();
    }

    void close() {
        if (closed) {
            return;
        }
        closed = true;
        if (registration != null) {
            registration.cancel();
        }
        for (Subscription subscription : subscriptions) {
            if (subscription != null) {
                end(subscription);
            }
        }
        if (pages != null) {
            pages.close();
        }
        socket.close();
        account().close();
        server.closed(this);
    }
}
