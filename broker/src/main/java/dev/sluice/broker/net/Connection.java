package dev.sluice.broker.net;

import dev.sluice.broker.config.NetConfig;
import dev.sluice.broker.protocol.Frames;
import dev.sluice.broker.protocol.MalformedRequestException;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.loop.ReadyListener;
import dev.sluice.io.loop.Timer;
import dev.sluice.io.memory.ReceiveBuffer;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.SocketWriter;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A client's connection: takes in frames, hands them on one at a time, sends the answers in order.
///
/// ```
///                 frame complete                 answered, or nothing to answer
///   RECEIVING ───────────────────▶ HANDLING ─────────────────────────────────────┐
///       ▲  ▲                    │ ▲                                              │
///       │  │                    ▼ │ the disk goes on, or time is over            │
///       │  │             WAITS FOR DISK                                          │
///       │                                                                        │
///       └────────────────────────── everything sent ◀────────── SENDING ◀────────┘
///   RECEIVING, SENDING ──▶ GONE to another loop
///   any ──▶ CLOSED   on the peer's end, an error, a malformed frame, an idle time-out, the broker's stop
/// ```
///
/// A connection that comes to what is not in memory goes on a cold loop, which may wait for the disk, with the answers
/// it has not sent and the bytes it has received; and back when it has caught up. Each loop has a Connection of its own
/// for the time; they hand on a [Luggage]. It goes between two requests, or while it sends: what a request in hand
/// holds belongs to the loop.
///
/// As in Kafka, the next request is taken up when the one before was answered, so answers need no sorting. The socket
/// is registered once, edge-triggered, and `readable` remembers that an edge was seen. Owned by its loop's thread.
///
/// While that is away with a request's bytes, in a write that takes long, another thread may be the loop's. The frame
/// is lent then: whoever closes the connection leaves that to the one who comes back.
public final class Connection implements ReadyListener, ReceiveBudget.Waiter, DiskStall.Waiter {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    private static final int EVENTS = Epolls.EPOLLIN | Epolls.EPOLLOUT | Epolls.EPOLLRDHUP | Epolls.EPOLLET;

    /// Answers of pipelined requests are sent together up to so many bytes.
    private static final int SEND_FIRST_BYTES = 64 << 10;

    /// Frames of which more is there to be received are taken up before the answers of those before them are sent,
    /// as long as these came to less than so many bytes: two batches of 64 KiB.
    private static final int ANSWERED_FIRST_BYTES = 128 << 10;

    /// What a request under way brings, or its end, between two looks of a timer; and the looks in which it ends.
    private static final int LEAST_PROGRESS_BYTES = 64 << 10;
    private static final int MOST_LOOKS = 10;

    /// What one connection may send or take in before it gives way to the others of its loop.
    private static final long TURN_BYTES = 4 << 20;

    /// Who had nothing read from the disk for so long has caught up.
    private static final long CAUGHT_UP_NS = TimeUnit.SECONDS.toNanos(1);

    /// What a connection takes along to another loop.
    ///
    /// @param unsent        answers that are not sent yet, whole ones all but for what of the first went already
    /// @param received      with bytes that were received and not handled yet, which the budget goes on counting;
    ///                      null when there are none
    /// @param closeWhenSent whether it shall end with those answers
    /// @param failed        whether it shall because handling a request has failed
    record Luggage(
            SocketWriter.Unsent unsent, @Nullable ReceiveBuffer received, boolean closeWhenSent, boolean failed) {
        long receivedBytes() {
            return received == null ? 0 : received.lengthBytes();
        }

        /// Where no loop takes it up.
        void release(ReceiveBudget budget) {
            budget.changed(-receivedBytes());
            if (received != null) {
                received.close();
            }
            unsent.release();
        }
    }

    private final NetworkLoop loop;
    private final Descriptor socket;
    private final Listener listener;
    private final RequestHandler handler;
    private final NetConfig config;
    private final FrameBuffer frames;
    private final SocketWriter writer;
    private final Request request;
    private final ReceiveBudget budget;
    private final Timer idle;
    private final Timer progress;
    private final Timer diskPatience;
    private final Timer unused;

    /// On a cold loop; else null.
    private final @Nullable ColdConsumer cold;
    private EventLoop.@Nullable Registration registration;

    private boolean readable = true;
    private boolean peerClosed;
    private boolean handling;

    /// Or gone to another loop.
    private boolean closed;

    private boolean closeWhenSent;
    private boolean failed;
    private boolean serving;
    private boolean deferred;
    private boolean waitsForRoom;
    private boolean waitsForDisk;
    private boolean hasWaited;

    /// Whether a thread that is away from the loop reads the frame in hand.
    private boolean lent;

    /// Why the connection is to be closed when that is over.
    private @Nullable String closeWhenBack;

    /// Of frames whose answers were not sent yet.
    private long unanswered;

    /// Until it is unpacked.
    private @Nullable Luggage luggage;

    /// What of `frames` the budget knows.
    private long budgetedBytes;

    /// Where the writer's pieces of the last answer that is whole end.
    private long answeredMark;

    private long framesTaken;
    private long receivedBytes;
    private long sentBytes;
    private long movedAtLastLook;

    // What was there when the timer looked last at a request under way.
    private long watchedFrame;
    private long watchedBytes;
    private int watchedLooks;

    /// @param luggage what it takes over; null when it was just accepted
    Connection(NetworkLoop loop, Descriptor socket, Listener listener, NetConfig config, @Nullable Luggage luggage) {
        this.loop = loop;
        this.socket = socket;
        this.listener = listener;
        this.handler = loop.handler();
        this.config = config;
        this.frames = new FrameBuffer(loop.receiveBuffers(), config.largestFrameBytes(), handler);
        this.cold = loop.isCold()
                ? new ColdConsumer(loop.kernel(), loop.coldReads().cached(), socket, System.nanoTime())
                : null;
        this.writer = new SocketWriter(loop.kernel(), socket, loop.spanCopies(), cold);
        this.request = new Request(this);
        this.budget = loop.receiveBudget();
        this.idle = loop.loop().timer(this::closeIfIdle);
        this.progress = loop.loop().timer(this::closeIfStalled);
        this.diskPatience = loop.loop().timer(this::stopWaitingForDisk);
        this.unused = loop.loop().timer(this::closeUnused);
        this.luggage = luggage;
    }

    /// Begins to serve; whatever that throws ends the connection.
    void open() {
        try {
            unpack();
            registration = loop.loop().register(socket, EVENTS, this);
            idle.set(TimeUnit.MILLISECONDS.toNanos(config.idleTimeoutMs()));
            if (loop.isDraining()) {
                finish();
            }
        } catch (ErrnoException e) {
            LOG.warn("{} can't be served: {}", socket.name(), e.getMessage());
            close("not registered");
        } catch (RuntimeException | Error e) {
            failed(e);
        }
    }

    private void unpack() {
        Luggage brought = luggage;
        if (brought == null) {
            return;
        }
        luggage = null;
        budgetedBytes = brought.receivedBytes();
        if (brought.received != null) {
            frames.put(brought.received);
        }
        writer.takeOver(brought.unsent);
        answeredMark = writer.mark();
        closeWhenSent = brought.closeWhenSent;
        failed = brought.failed;
        later();
    }

    /// Looks once in an idle time-out whether any byte moved since the last look: requests then cost no timer, and
    /// an idle connection is closed after one to two of them.
    private void closeIfIdle() {
        long movedBytes = receivedBytes + sentBytes;
        if (!handling && !waitsForDisk && movedBytes == movedAtLastLook) {
            close("idle for " + config.idleTimeoutMs() + " ms");
        } else {
            movedAtLastLook = movedBytes;
            idle.set(TimeUnit.MILLISECONDS.toNanos(config.idleTimeoutMs()));
        }
    }

    /// Looks, while a request is under way, whether it comes on.
    private void closeIfStalled() {
        if (frames.heldBytes() == 0 || handling) {
            return; // the next request that has to wait for bytes sets the timer again
        }
        boolean same = framesTaken == watchedFrame;
        boolean ours = waitsForRoom || !mayTake() || !writer.isEmpty(); // it is not the peer that is slow in sending
        boolean slow = receivedBytes - watchedBytes < LEAST_PROGRESS_BYTES || watchedLooks >= MOST_LOOKS;
        if (same && slow && !ours) {
            if (loop.seldom().mayTell()) {
                LOG.warn(
                        "{} began a request and sent too little of it in {} ms (sluice.request.receive.timeout.ms)."
                                + " Its connection is closed{}",
                        socket.name(),
                        config.receiveTimeoutMs(),
                        loop.seldom().leftOut());
            }
            close("too slow");
            return;
        }
        watchedLooks = same && !ours ? watchedLooks + 1 : 0;
        watch();
    }

    private void watch() {
        watchedFrame = framesTaken;
        watchedBytes = receivedBytes;
        progress.set(TimeUnit.MILLISECONDS.toNanos(config.receiveTimeoutMs()));
    }

    NetworkLoop loop() {
        return loop;
    }

    Listener listener() {
        return listener;
    }

    Descriptor socket() {
        return socket;
    }

    SocketWriter writer() {
        return writer;
    }

    boolean isClosed() {
        return closed;
    }

    boolean isPeerClosed() {
        return peerClosed;
    }

    boolean isHandling() {
        return handling;
    }

    Request request() {
        return request;
    }

    /// Whether no answer waits to be sent, and nothing was received but the frame in hand.
    boolean isAlone() {
        return writer.isEmpty() && frames.heldBytes() == Frames.SIZE_BYTES + frames.frameLengthBytes();
    }

    @Override
    public void ready(int events) {
        if ((events & (Epolls.EPOLLERR | Epolls.EPOLLHUP)) != 0) {
            close("the peer is gone");
            return;
        }
        if ((events & Epolls.EPOLLRDHUP) != 0) {
            // The end was announced with this edge; no other will come for it, so read until it is met. The peer may
            // have closed one half only and still wait for its answers.
            peerClosed = true;
            readable = true;
            if (handling) {
                request.hurry();
            }
        }
        if ((events & Epolls.EPOLLIN) != 0) {
            readable = true;
        }
        serve();
    }

    /// Handling a request, or sending answers, threw: what was queued for that request is taken back, the answers
    /// before it are sent, and then the connection is closed.
    @Override
    public void failed(Throwable thrown) {
        LOG.error("Handling a request of {} failed; its connection is closed", socket.name(), thrown);
        boolean again = failed;
        failed = true;
        release(request::abandoned);
        if (again || closed || !writer.cutBack(answeredMark)) {
            close("an internal error");
            return;
        }
        closeWhenSent = true;
        handling = false;
        later();
    }

    /// Works until there is nothing to do without waiting, or the turn's share is used up. Whatever that throws
    /// ends this connection alone: besides [Request#resume] this is the only way into its work.
    private void serve() {
        if (serving) {
            return; // an answer was given while its request was being handled: the work under way goes on with it
        }
        serving = true;
        try {
            work();
        } catch (MalformedRequestException e) {
            if (loop.seldom().mayTell()) {
                LOG.warn(
                        "{} began a request that is not taken: {}. Produce takes up to socket.request.max.bytes, other"
                                + " APIs less. Its connection is closed{}",
                        socket.name(),
                        e.getMessage(),
                        loop.seldom().leftOut());
            }
            closeWhenSent = true;
            later();
        } catch (RuntimeException | Error e) {
            failed(e);
        } finally {
            serving = false;
            if (closeWhenBack != null) {
                close(closeWhenBack);
            }
            settle();
        }
    }

    /// Before waiting for more: goes to another loop if it is time, and tells what is held meanwhile.
    private void settle() {
        if (cold != null && hasCaughtUp(cold)) {
            moveOn();
        }
        frames.releaseIfEmpty();
        long held = frames.heldBytes();
        budget.changed(held - budgetedBytes);
        budgetedBytes = held;
        if (held > 0 && !handling && !closed && !progress.isSet()) {
            watchedLooks = 0;
            watch();
        }
    }

    /// Whether it need not be on a cold loop any more, and nothing is in hand.
    private boolean hasCaughtUp(ColdConsumer consumer) {
        return !closed
                && !handling
                && !waitsForDisk
                && !closeWhenSent
                && writer.isEmpty()
                && frames.heldBytes() == 0
                && !loop.isDraining()
                && consumer.sinceReadNs() > CAUGHT_UP_NS;
    }

    private void work() {
        long share = TURN_BYTES;
        long before = receivedBytes;
        while (!closed && closeWhenBack == null && share > 0) {
            int taken = mayTake() ? takeFrame() : 0;
            if (taken > 0) {
                share -= taken; // its answer goes with those of the frames behind it
                unanswered += taken;
            } else if (moreIsThere() && receive()) {
                share -= receivedBytes - before;
                before = receivedBytes;
            } else if (!send() || handling || waitsForDisk) {
                return;
            } else if (!frames.isComplete() && !receive()) {
                return;
            } else {
                share -= receivedBytes - before;
                before = receivedBytes;
            }
        }
        if (!closed && send()) {
            later();
        }
    }

    /// Whether the next frame has begun, and the socket holds more of it, as far as is known.
    private boolean moreIsThere() {
        return unanswered > 0
                && unanswered < ANSWERED_FIRST_BYTES
                && readable
                && frames.heldBytes() > 0
                && mayTake()
                && !frames.isComplete();
    }

    private boolean mayTake() {
        return !handling
                && !waitsForDisk
                && !closeWhenSent
                && closeWhenBack == null
                && writer.queuedBytes() < SEND_FIRST_BYTES;
    }

    private void later() {
        if (!deferred) {
            deferred = true;
            loop.loop().defer(() -> {
                deferred = false;
                if (!closed) {
                    serve();
                }
            });
        }
    }

    /// @return false when the socket is full, or the share used up, and nothing more should be taken up before it
    ///         has room
    private boolean send() {
        unanswered = 0;
        if (!writer.isEmpty()) {
            long queued = writer.queuedBytes();
            try {
                switch (writer.flush(TURN_BYTES)) {
                    case DONE -> {}
                    case BLOCKED -> {
                        return false;
                    }
                    case YIELDED -> {
                        later();
                        return false;
                    }
                    case COLD -> {
                        sendCold();
                        return false;
                    }
                }
            } catch (ErrnoException e) {
                if (e.errno() == Errno.EIO) {
                    LOG.error(
                            "What {} is being sent can't be read from the disk; its connection is closed: {}",
                            socket.name(),
                            e.getMessage());
                }
                close(e.getMessage());
                return false;
            } finally {
                sentBytes += queued - writer.queuedBytes();
                if (cold != null && !closed) {
                    lookForUnused();
                }
            }
        }
        if (closeWhenSent && !handling) {
            close("closed as asked");
            return false;
        }
        return true;
    }

    /// What comes next is not in memory. Nobody else on a loop that is not cold shall wait for it.
    private void sendCold() throws ErrnoException {
        if (cold != null) {
            readPastCache(cold);
            return;
        }
        if (handling) {
            request.hurry(); // what it holds belongs to this loop
        }
        if (!handling && !closed && !waitsForDisk) { // what waits for the disk is answered by this loop; see awaitDisk
            moveOn();
        }
    }

    /// Has another thread read the next bytes of the answer, where they shall not fill the page cache.
    private void readPastCache(ColdConsumer consumer) throws ErrnoException {
        SocketWriter.Cold range = writer.takeCold();
        if (range != null) {
            consumer.reads();
            lookForUnused();
            loop.coldReads().direct().read(socket, range, filledOf(range));
        }
    }

    /// Has a loop of the other kind serve it from here on.
    private void moveOn() {
        NetworkLoop target = loop.otherKind();
        if (target == null) {
            close("no loop runs that could go on with it");
            return;
        }
        // Before anything is let go of: what this throws ends the connection, as anything in its work does.
        Luggage packed = new Luggage(writer.giveAway(loop::execute), frames.take(), closeWhenSent, failed);
        budget.changed(packed.receivedBytes() - budgetedBytes); // its loop may be long in taking it up
        budgetedBytes = 0;
        release(this::letGo);
        try {
            target.handOver(socket, listener, packed);
        } catch (RuntimeException | Error e) {
            LOG.error("{} could not be given to another loop; it is closed", socket.name(), e);
            packed.release(budget);
            end();
        }
        release(() -> loop.remove(this));
    }

    /// Has the files that are no longer read from the disk closed, as long as there are any.
    private void closeUnused() {
        if (loop.coldReads().files().closeUnused()) {
            lookForUnused();
        }
    }

    private void lookForUnused() {
        if (!unused.isSet()) {
            unused.set(ColdFiles.UNUSED_NS);
        }
    }

    private DirectReader.Sink filledOf(SocketWriter.Cold range) {
        return new DirectReader.Sink() {
            @Override
            public void read(MemorySegment bytes, Hold hold) {
                loop.execute(() -> {
                    writer.filled(bytes, hold);
                    if (!closed) {
                        serve();
                    }
                });
            }

            @Override
            public void failed(int errno) {
                loop.execute(() -> {
                    if (!closed) {
                        unreadable(range, errno);
                    }
                });
            }
        };
    }

    private void unreadable(SocketWriter.Cold range, int errno) {
        if (errno == Errno.EIO) {
            writer.unfilled();
        }
        LOG.error("{} can't be read: {}", range.file().name(), Errno.describe(errno));
        close("what it wants to read can't be read");
    }

    /// Hands on the next frame, if it is complete.
    ///
    /// @return its length, 0 when it is not complete
    private int takeFrame() {
        if (!frames.isComplete()) {
            return 0;
        }
        ReceiveBuffer held = frames.held();
        int length = frames.frameLengthBytes();
        framesTaken++;
        handling = true;
        request.begin(held.segment(), held.view(), frames.framePosition(), length);
        handler.handle(request);
        if (waitsForDisk) {
            return 0;
        }
        hasWaited = false;
        if (!closed) {
            frames.consumeFrame();
            budget.finished(this);
        }
        return Frames.SIZE_BYTES + length;
    }

    /// Receives once.
    ///
    /// @return false when nothing more can come for now
    private boolean receive() {
        if (closed || !readable) {
            return false;
        }
        long most = budget.isFull() ? ReceiveBudget.ALWAYS_BYTES - frames.heldBytes() : Long.MAX_VALUE;
        if (most <= 0) {
            if (!budget.admits(this)) {
                waitForRoom();
                return false;
            }
            most = Long.MAX_VALUE;
        }
        try {
            MemorySegment room = frames.room(most);
            long received = loop.kernel().sockets().recv(socket, room, 0);
            if (received > 0) {
                frames.received(received);
                receivedBytes += received;
                // A short count drained the socket; more will come with an edge of its own. Not so after the peer's
                // end, nor when it is not the kernel's own count.
                readable = received == room.byteSize()
                        || peerClosed
                        || loop.kernel().mayShorten();
                return true;
            }
            if (received == 0 && !writer.isEmpty()) {
                peerClosed = true; // it may wait for the answers to what it sent before
                return false;
            }
            if (received == 0) {
                close("the peer closed");
                return false;
            }
            int errno = (int) -received;
            if (errno == Errno.EINTR) {
                return true;
            }
            if (errno != Errno.EAGAIN) {
                close(Errno.describe(errno));
                return false;
            }
            readable = false;
            return false;
        } catch (ErrnoException e) {
            LOG.error("No memory to receive from {}; its connection is closed", socket.name(), e);
            close("out of memory");
            return false;
        }
    }

    // ---- When the disk takes long

    /// From here to [#takeBack], a thread that may not be the loop's by then reads the frame in hand.
    void lend() {
        lent = true;
    }

    void takeBack() {
        lent = false;
    }

    /// The request in hand is left where it is; see [Request#awaitDisk].
    void awaitDisk(long timeoutMs) {
        handling = false;
        waitsForDisk = true;
        budget.finished(this); // it needs no more of what others wait for: its bytes are there
        loop.awaitDisk(this);
        diskPatience.set(TimeUnit.MILLISECONDS.toNanos(Math.max(0, timeoutMs)));
    }

    boolean hasWaited() {
        return hasWaited;
    }

    @Override
    public void diskGoesOn() {
        waitsForDisk = false;
        diskPatience.cancel();
        later();
    }

    private void stopWaitingForDisk() {
        loop.forgetDisk(this);
        diskPatience.cancel();
        waitsForDisk = false;
        hasWaited = true;
        serve();
    }

    // ---- When there is no room

    private void waitForRoom() {
        if (!waitsForRoom) {
            waitsForRoom = true;
            budget.await(this);
        }
    }

    /// From any thread.
    @Override
    public void wake() {
        loop.execute(() -> {
            waitsForRoom = false;
            if (!closed) {
                serve();
            }
            budget.passOn();
        });
    }

    /// The request that was being handled is answered; its pieces are in the writer.
    void answered() {
        handling = false;
        answeredMark = writer.mark();
        serve();
    }

    /// The request in hand gets no answer: closes the connection once the answers before it have been sent.
    void closeWhenSent() {
        closeWhenSent = true;
        handling = false;
        serve();
    }

    /// Asks for the end: at once if nothing is under way, else when the request in hand was answered. Bytes of
    /// requests that were not taken up are dropped, as by any closed connection; one that waits for the disk was.
    void finish() {
        if (waitsForDisk) {
            stopWaitingForDisk();
        }
        closeWhenSent = true;
        if (!handling) {
            serve();
        } else {
            request.hurry();
        }
    }

    void close(String why) {
        if (closed) {
            return;
        }
        if (lent) {
            closeWhenBack = why;
            return;
        }
        LOG.debug("{} closed: {}", socket.name(), why);
        letGo();
        release(frames::release);
        release(writer::abandon);
        end();
        release(() -> loop.remove(this));
    }

    /// Of all that is its loop's, but for what was received and what is not sent.
    private void letGo() {
        closed = true;
        release(idle::cancel);
        release(progress::cancel);
        release(diskPatience::cancel);
        release(unused::cancel);
        release(() -> loop.forgetDisk(this));
        release(request::abandoned);
        release(this::deregister);
        release(() -> budget.changed(-budgetedBytes));
        budgetedBytes = 0;
        release(() -> budget.finished(this));
        if (cold != null) {
            release(() -> loop.coldReads().files().forget(socket));
        }
    }

    private void end() {
        release(socket::close);
        release(socket.account()::close);
        release(() -> listener.closed(socket));
    }

    /// One thing that the connection holds: whatever letting go of it throws, the others are let go of too.
    private void release(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            LOG.error("Something of {} was not released", socket.name(), e);
        }
    }

    private void deregister() {
        if (registration != null) {
            registration.cancel();
        }
    }
}
