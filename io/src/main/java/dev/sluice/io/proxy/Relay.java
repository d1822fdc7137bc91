package dev.sluice.io.proxy;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.linux.Sockets;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// One direction of a connection: source socket → pipe → sink socket.
///
/// ```
///   FLOWING ──source ended──▶ ENDING ──pipe empty, sink told (shutdown)──▶ DONE
///      └───────────── an error of either socket ─────────────▶ the connection ends
/// ```
///
/// The pipe is filled only when it is empty, so EAGAIN from the first half means that the source has nothing and from
/// the second that the sink is full. While the sink is full nothing is taken from the source: its window closes, and
/// its sender waits. Owned by the loop's thread.
final class Relay {
    /// How far a [#run] came.
    enum Progress {
        /// Until one of the sockets is ready.
        WAITING,
        /// The share was used up: run again soon, others first.
        YIELDED,
        DONE,
        /// A socket has an error: see [#failedErrno] and [#isSourceFailed].
        FAILED
    }

    /// Bytes that one direction moves before others get their turn.
    private static final long SHARE_BYTES = 1 << 20;

    private final Kernel kernel;
    private final ProxyPipes pipes;
    private final Descriptor source;
    private final Descriptor sink;
    private final MemorySegment scratch;
    private ProxyPipes.@Nullable Pipe pipe;
    private long heldBytes;

    // Edges that came and were not used up by an EAGAIN yet.
    private boolean sourceReady;
    private boolean sinkReady;
    private boolean sourceEnded;
    private boolean done;
    private int failedErrno;
    private boolean sourceFailed;
    private long movedBytes;
    private long splices;

    /// @param scratch 16 bytes of native memory, the loop's
    Relay(Kernel kernel, ProxyPipes pipes, Descriptor source, Descriptor sink, MemorySegment scratch) {
        this.kernel = kernel;
        this.pipes = pipes;
        this.source = source;
        this.sink = sink;
        this.scratch = scratch;
    }

    /// An edge said that the source has bytes, or its end, or an error.
    void sourceReady() {
        sourceReady = true;
    }

    /// An edge said that the sink has room, or an error.
    void sinkReady() {
        sinkReady = true;
    }

    /// Moves what can be moved now.
    Progress run() {
        if (done) {
            return Progress.DONE;
        }
        long until = movedBytes + SHARE_BYTES;
        while (true) {
            if (heldBytes > 0) {
                long n = sinkReady ? drain() : -Errno.EAGAIN;
                if (n == -Errno.EAGAIN) {
                    sinkReady = false;
                    return Progress.WAITING;
                }
                if (n < 0) {
                    return failed((int) -n, false);
                }
            } else if (sourceEnded) {
                return end();
            } else if (movedBytes >= until) {
                return Progress.YIELDED;
            } else {
                long n = sourceReady ? fill() : -Errno.EAGAIN;
                if (n == -Errno.EAGAIN) {
                    sourceReady = false;
                    give();
                    return Progress.WAITING;
                }
                if (n < 0) {
                    return failed((int) -n, true);
                }
            }
        }
    }

    private long fill() {
        ProxyPipes.Pipe through = pipe;
        if (through == null) {
            try {
                through = pipes.take();
                pipe = through;
            } catch (ErrnoException e) {
                return -e.errno();
            }
        }
        long n = splice(source, through.ends().writeEnd(), through.capacityBytes());
        if (n > 0) {
            heldBytes = n;
        } else if (n == 0) {
            sourceEnded = true;
        }
        return n;
    }

    private long drain() {
        long n = splice(held().ends().readEnd(), sink, heldBytes);
        if (n > 0) {
            heldBytes -= n;
            movedBytes += n;
        }
        return n == 0 ? -Errno.EPIPE : n; // a sink that takes nothing of something would be asked for ever
    }

    private long splice(Descriptor from, Descriptor to, long lengthBytes) {
        while (true) {
            splices++;
            long n = kernel.pipes()
                    .splice(
                            from,
                            Pipes.NO_POSITION,
                            to,
                            Pipes.NO_POSITION,
                            lengthBytes,
                            Pipes.SPLICE_F_NONBLOCK,
                            scratch);
            if (n != -Errno.EINTR) {
                return n;
            }
        }
    }

    private ProxyPipes.Pipe held() {
        if (pipe == null) {
            throw new IllegalStateException("no pipe, so nothing is held");
        }
        return pipe;
    }

    /// The half-close: the sink hears that no more comes; the other direction goes on.
    private Progress end() {
        give();
        done = true;
        long told = kernel.sockets().shutdown(sink, Sockets.SHUT_WR);
        return told < 0 ? failed((int) -told, false) : Progress.DONE;
    }

    private Progress failed(int errno, boolean ofSource) {
        failedErrno = errno;
        sourceFailed = ofSource;
        return Progress.FAILED;
    }

    private void give() {
        if (pipe != null) {
            pipes.give(pipe, heldBytes == 0);
            pipe = null;
        }
    }

    boolean isDone() {
        return done;
    }

    int failedErrno() {
        return failedErrno;
    }

    boolean isSourceFailed() {
        return sourceFailed;
    }

    /// What an error message says of a failure.
    String failure() {
        return Call.SPLICE.kernelName() + " " + (sourceFailed ? source : sink).name() + ": "
                + Errno.describe(failedErrno);
    }

    long movedBytes() {
        return movedBytes;
    }

    long heldBytes() {
        return heldBytes;
    }

    long splices() {
        return splices;
    }

    /// Gives the pipe back; bytes in it are lost.
    void close() {
        give();
    }
}
