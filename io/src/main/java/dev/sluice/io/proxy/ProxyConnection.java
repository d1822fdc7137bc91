package dev.sluice.io.proxy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Epolls;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.loop.ReadyListener;
import dev.sluice.io.loop.Timer;
import dev.sluice.io.proxy.ConnectionReport.End;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// A client, an upstream, and two relays between them.
///
/// ```
///   CONNECTING ──upstream accepted──▶ RELAYING ──both relays done──▶ CLOSED: both sockets closed in order
///        └── refused, too late ──┐        └── reset, idle, closed ──┐
///                                └──▶ CLOSED: both sockets reset ◀───┘
/// ```
///
/// A side that was reset, or given up, has the other reset too: whoever counts on the end of the stream to know that it
/// was whole must not take our giving up for one. Owned by its loop's thread.
final class ProxyConnection {
    private static final int READABLE = Epolls.EPOLLIN | Epolls.EPOLLRDHUP | Epolls.EPOLLHUP | Epolls.EPOLLERR;
    private static final int WRITABLE = Epolls.EPOLLOUT | Epolls.EPOLLHUP | Epolls.EPOLLERR;
    private static final int TROUBLE = Epolls.EPOLLHUP | Epolls.EPOLLERR;
    private static final int EVENTS = Epolls.EPOLLIN | Epolls.EPOLLOUT | Epolls.EPOLLRDHUP | Epolls.EPOLLET;

    private enum State {
        CONNECTING,
        RELAYING,
        CLOSED
    }

    private final ProxyLoop owner;
    private final Descriptor client;
    private final Descriptor upstream;
    private final Relay up;
    private final Relay down;
    private final Timer timer;
    private final long startNs;
    private State state = State.CONNECTING;
    private EventLoop.@Nullable Registration ofClient;
    private EventLoop.@Nullable Registration ofUpstream;
    private boolean deferred;

    /// What had moved when the idle timer was set last.
    private long movedBefore;

    /// @param client   accepted; this closes it
    /// @param upstream connecting; this closes it
    ProxyConnection(ProxyLoop owner, Descriptor client, Descriptor upstream) {
        this.owner = owner;
        this.client = client;
        this.upstream = upstream;
        this.up = owner.relay(client, upstream);
        this.down = owner.relay(upstream, client);
        this.timer = owner.loop().timer(this::late);
        this.startNs = owner.nowNs();
    }

    /// Waits for the upstream.
    void begin() {
        try {
            ofClient = owner.loop().register(client, EVENTS, new Side(up, down, this::clientReady));
            ofUpstream = owner.loop().register(upstream, EVENTS, new Side(down, up, this::upstreamReady));
            timer.set(owner.config().connectTimeoutNs());
        } catch (ErrnoException e) {
            close(End.FAILED, e.getMessage());
        }
    }

    /// A socket on the loop.
    private final class Side implements ReadyListener {
        private final Relay from;
        private final Relay to;
        private final IntConsumer then;

        /// @param from the relay that this socket is the source of
        /// @param to   the relay that it is the sink of
        Side(Relay from, Relay to, IntConsumer then) {
            this.from = from;
            this.to = to;
            this.then = then;
        }

        @Override
        public void ready(int events) {
            if ((events & READABLE) != 0) {
                from.sourceReady();
            }
            if ((events & WRITABLE) != 0) {
                to.sinkReady();
            }
            if (state != State.CLOSED) {
                then.accept(events);
            }
        }

        @Override
        public void failed(Throwable thrown) {
            close(End.FAILED, thrown.toString());
        }
    }

    private void clientReady(int events) {
        if (state == State.RELAYING) {
            pump();
        } else if ((events & TROUBLE) != 0) {
            close(End.CLIENT_RESET, "before the upstream had accepted");
        }
    }

    private void upstreamReady(int events) {
        if (state == State.RELAYING) {
            pump();
        } else if ((events & (READABLE | WRITABLE)) != 0) {
            long error = owner.kernel().sockets().takeError(upstream);
            if (error < 0) {
                close(End.UPSTREAM_UNREACHABLE, Errno.describe((int) -error));
                return;
            }
            state = State.RELAYING;
            watchIdleness();
            pump();
        }
    }

    /// Moves what can be moved, in both directions.
    private void pump() {
        if (state != State.RELAYING) {
            return;
        }
        Relay.Progress upwards = up.run();
        Relay.Progress downwards = down.run();
        if (upwards == Relay.Progress.FAILED || downwards == Relay.Progress.FAILED) {
            failed(upwards == Relay.Progress.FAILED ? up : down);
        } else if (upwards == Relay.Progress.DONE && downwards == Relay.Progress.DONE) {
            close(End.FINISHED, "");
        } else if ((upwards == Relay.Progress.YIELDED || downwards == Relay.Progress.YIELDED) && !deferred) {
            deferred = true;
            owner.loop().defer(() -> {
                deferred = false;
                pump();
            });
        }
    }

    private void failed(Relay relay) {
        boolean ofClient = (relay == up) == relay.isSourceFailed();
        End end = switch (relay.failedErrno()) {
            case Errno.ECONNRESET,
                    Errno.EPIPE,
                    Errno.ETIMEDOUT,
                    Errno.ENOTCONN,
                    Errno.EHOSTUNREACH,
                    Errno.ENETUNREACH -> ofClient ? End.CLIENT_RESET : End.UPSTREAM_RESET;
            default -> End.FAILED;
        };
        close(end, relay.failure());
    }

    private void watchIdleness() {
        if (owner.config().idleTimeoutNs() > 0) {
            timer.set(owner.config().idleTimeoutNs());
        } else {
            timer.cancel();
        }
    }

    private void late() {
        long moved = up.movedBytes() + down.movedBytes();
        if (state == State.CONNECTING) {
            close(End.UPSTREAM_UNREACHABLE, "did not accept in time");
        } else if (moved == movedBefore) {
            close(End.IDLE, "");
        } else {
            movedBefore = moved; // looked at once a time-out, not once a byte: it comes after one to two of them
            watchIdleness();
        }
    }

    /// Ends the connection. A second call changes nothing.
    void close(End end, String detail) {
        if (state == State.CLOSED) {
            return;
        }
        state = State.CLOSED;
        timer.cancel();
        if (ofClient != null) {
            ofClient.cancel();
        }
        if (ofUpstream != null) {
            ofUpstream.cancel();
        }
        long lost = up.heldBytes() + down.heldBytes();
        up.close();
        down.close();
        if (end != End.FINISHED) {
            Sockets sockets = owner.kernel().sockets();
            sockets.resetOnClose(client);
            sockets.resetOnClose(upstream);
        }
        upstream.close();
        upstream.account().close();
        client.close();
        client.account().close();
        owner.ended(
                this,
                new ConnectionReport(
                        client.name(),
                        end,
                        detail,
                        up.movedBytes(),
                        down.movedBytes(),
                        lost,
                        up.splices() + down.splices(),
                        owner.nowNs() - startNs));
    }
}
