package dev.sluice.broker.net;

import dev.sluice.broker.protocol.Messages;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.transfer.Span;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The request of a connection that is being handled. A connection has one, used again for the next request.
///
/// Owned by the connection's loop. A handler that answers later keeps the number that [#ticket] gives, and answers on
/// the loop through [#resume].
public final class Request {
    /// What a handler that answers later listens to.
    public interface Pending {
        /// Answer now, with what there is: the broker stops, or the peer has closed its side.
        void hurry();

        /// The connection is gone; forget the request.
        void abandoned();
    }

    private static final Logger LOG = LoggerFactory.getLogger(Request.class);

    private final Connection connection;
    private MemorySegment memory = MemorySegment.NULL;
    private ByteBuffer view = ByteBuffer.allocate(0);
    private long position;
    private int lengthBytes;
    private long ticket;
    private @Nullable Pending pending;

    Request(Connection connection) {
        this.connection = connection;
    }

    void begin(MemorySegment frameMemory, ByteBuffer frameView, long framePosition, int frameLengthBytes) {
        memory = frameMemory;
        view = frameView;
        position = framePosition;
        lengthBytes = frameLengthBytes;
        ticket++;
    }

    /// The memory that the frame lies in: valid until the handler returns.
    public MemorySegment memory() {
        return memory;
    }

    /// A big-endian buffer over the whole of [#memory]; whoever uses it sets its position and limit.
    public ByteBuffer view() {
        return view;
    }

    /// First byte of the frame, behind its size prefix.
    public long position() {
        return position;
    }

    /// Bytes of the frame, without its size prefix.
    public int lengthBytes() {
        return lengthBytes;
    }

    /// The loop that this request belongs to.
    public NetworkLoop loop() {
        return connection.loop();
    }

    /// Where the connection came in.
    public Listener listener() {
        return connection.listener();
    }

    /// The connection's own end and peer.
    public Descriptor socket() {
        return connection.socket();
    }

    /// A number of this request, different from those of the connection's other requests.
    public long ticket() {
        return ticket;
    }

    /// Whether it is all that its connection has: no answer to one before it waits to be sent, and nothing of the
    /// next one has come. For handlers, before they return.
    public boolean isAlone() {
        return connection.isAlone();
    }

    /// Whether the peer has said that it sends nothing more. It may still wait for its answers; nobody will tell
    /// it, or us, of anything later.
    public boolean isPeerClosed() {
        return connection.isPeerClosed();
    }

    /// Says who is to be told of events while the answer is outstanding.
    public void setPending(@Nullable Pending newPending) {
        pending = newPending;
    }

    /// Begins a call that may wait for the disk: until [#back], another thread may go on with the loop, so nothing
    /// that belongs to it may be touched, nor is the frame's memory given to anybody else.
    ///
    /// @return for [#back]
    public long away() {
        connection.lend();
        return connection.loop().loop().away();
    }

    /// Ends that call. The caller goes on as if it had been short.
    public void back(long began) {
        connection.loop().loop().back(began);
        connection.takeBack();
    }

    /// Leaves the request where it is while the disk is stalled: it is handed on once more when the disk goes on,
    /// or when that has taken too long, [#hasWaited] then. Nothing may have been done for it; the last thing that a
    /// handler does.
    public void awaitDisk(long timeoutMs) {
        connection.awaitDisk(timeoutMs);
    }

    /// Whether it has waited for the disk for as long as it may.
    public boolean hasWaited() {
        return connection.hasWaited();
    }

    /// Goes on with the request of this ticket, unless it was answered or its connection has gone meanwhile. Every
    /// task and timer that works on a request later comes this way: what `work` throws ends the connection, which
    /// would otherwise wait for its answer for ever.
    public void resume(long aTicket, Runnable work) {
        if (ticket == aTicket && connection.isHandling() && !connection.isClosed()) {
            try {
                work.run();
            } catch (RuntimeException | Error e) {
                connection.failed(e);
            }
        }
    }

    void hurry() {
        Pending told = pending;
        if (told != null) {
            resume(ticket, told::hurry);
        }
    }

    void abandoned() {
        Pending told = pending;
        pending = null;
        if (told != null) {
            told.abandoned();
        }
    }

    /// Queues a piece of the answer: `bytes` is (the start of) a slab taken from the loop's pool, given back when
    /// sent.
    public void send(MemorySegment slab, long sendBytes) {
        send(slab, 0, sendBytes, true);
    }

    /// Queues a part of such a slab.
    ///
    /// @param isLast whether the slab is given back when it was sent; else a part that is queued behind it says so
    public void send(MemorySegment slab, long from, long sendBytes, boolean isLast) {
        if (isLast) {
            connection.writer().addLast(slab, from, sendBytes, connection.loop().slabs());
        } else {
            connection.writer().addPart(slab, from, sendBytes);
        }
    }

    /// Queues a span of a file; the writer releases it.
    public void send(Span span) {
        connection.writer().add(span);
    }

    /// The answer's last piece is queued, or there is no answer to this request: the next may be taken up.
    public void done() {
        pending = null;
        connection.answered();
    }

    /// Answers with a message of kafka-clients.
    public void answer(ApiKeys key, short version, int correlationId, ApiMessage body) {
        Messages.Frame frame = Messages.write(
                key, version, correlationId, body, connection.loop().slabs());
        send(frame.slab(), frame.lengthBytes());
        done();
    }

    /// Closes the connection without an answer to this request, as Kafka does when one can't be understood. Nothing
    /// may have been queued for it; the answers to those before it are sent first.
    public void close(String why) {
        Seldom seldom = connection.loop().seldom();
        if (seldom.mayTell()) {
            LOG.warn("{}: {}; its connection is closed{}", connection.socket().name(), why, seldom.leftOut());
        }
        pending = null;
        connection.closeWhenSent();
    }
}
