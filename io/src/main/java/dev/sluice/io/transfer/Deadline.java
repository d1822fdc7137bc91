package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.transfer.Transfer.Progress;
import dev.sluice.io.transfer.TransferException.Failure;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Waiting, for as long as a transfer's options allow.
///
/// Calls on a blocking socket would wait inside the kernel, deaf to timeouts and cancellation. So if there are any, the
/// socket's own timeouts (SO_SNDTIMEO, SO_RCVTIMEO) are set while the transfer runs, and put back after; its
/// O_NONBLOCK, which other processes may share, is left alone.
final class Deadline implements AutoCloseable {
    /// How long a call on a blocking socket may wait in the kernel before it comes back to look around.
    private static final long CALL_TIMEOUT_NS = Cancellation.LATENCY_NS;

    private static final int TROUBLE = Polls.POLLERR | Polls.POLLHUP | Polls.POLLNVAL;

    private final LongSupplier clockNs;
    private final Kernel kernel;
    private final Flow flow;
    private final TransferOptions options;
    private final long startNs;
    private long lastMovedNs;
    private long lastMoved = -1;
    private boolean watchSink = true;

    /// What the sockets' timeouts were; -1 where they weren't touched.
    private final long sourceTimeoutNs;

    private final long sinkTimeoutNs;

    Deadline(LongSupplier clockNs, Kernel kernel, Flow flow, TransferOptions options) throws ErrnoException {
        this.clockNs = clockNs;
        this.kernel = kernel;
        this.flow = flow;
        this.options = options;
        this.startNs = clockNs.getAsLong();
        this.lastMovedNs = startNs;
        this.sourceTimeoutNs = limit(flow.source, false);
        long before = -1;
        try {
            before = limit(flow.sink, true);
        } catch (ErrnoException e) {
            restore(flow.source, false, sourceTimeoutNs);
            throw e;
        }
        this.sinkTimeoutNs = before;
    }

    private long limit(Endpoint end, boolean sending) throws ErrnoException {
        if (!options.hasLimits() || !(end instanceof Endpoint.Socket(Descriptor socket))) {
            return -1;
        }
        long flags = ErrnoException.check(kernel.files().openFlags(socket), Call.FCNTL, socket.name());
        if ((flags & Files.O_NONBLOCK) != 0) {
            return -1;
        }
        long before = ErrnoException.check(kernel.sockets().timeoutNs(socket, sending), Call.GETSOCKOPT, socket.name());
        ErrnoException.check(
                kernel.sockets().setTimeout(socket, sending, CALL_TIMEOUT_NS), Call.SETSOCKOPT, socket.name());
        return before;
    }

    /// Waits until the transfer may go on.
    ///
    /// @return empty to step again; or why not to: STALLED, TIMED_OUT, CANCELLED, or another for a failed call,
    ///         noted in the flow
    Optional<Failure> await(Progress progress) {
        long moved = flow.taken + flow.delivered + flow.completions;
        long nowNs = clockNs.getAsLong();
        if (moved != lastMoved) {
            lastMoved = moved;
            lastMovedNs = nowNs;
        }
        while (true) {
            Optional<Failure> over = over(nowNs);
            if (over.isPresent()) {
                return over;
            }
            long ready = poll(progress, waitMs(nowNs));
            if (ready < 0 && ready != -Errno.EINTR) {
                flow.fail(Flow.Side.EITHER, Call.POLL, ready);
                return Optional.of(Failure.SOURCE_FAILED);
            }
            if (ready > 0) {
                return progress == Progress.SOURCE_BLOCKED ? lookAtSink(ready) : Optional.empty();
            }
            nowNs = clockNs.getAsLong();
        }
    }

    private Optional<Failure> over(long nowNs) {
        if (options.cancellation().isPresent() && options.cancellation().get().isCancelled()) {
            return Optional.of(Failure.CANCELLED);
        }
        if (options.timeoutNs() > 0 && nowNs - startNs >= options.timeoutNs()) {
            return Optional.of(Failure.TIMED_OUT);
        }
        if (options.idleTimeoutNs() > 0 && nowNs - lastMovedNs >= options.idleTimeoutNs()) {
            return Optional.of(Failure.STALLED);
        }
        return Optional.empty();
    }

    /// Until the first of all that may happen, rounded up so that we don't spin in the last millisecond; -1 for
    /// ever.
    private int waitMs(long nowNs) {
        long waitNs = Long.MAX_VALUE;
        if (options.timeoutNs() > 0) {
            waitNs = startNs + options.timeoutNs() - nowNs;
        }
        if (options.idleTimeoutNs() > 0) {
            waitNs = Math.min(waitNs, lastMovedNs + options.idleTimeoutNs() - nowNs);
        }
        if (options.cancellation().isPresent()) {
            waitNs = Math.min(waitNs, Cancellation.LATENCY_NS);
        }
        return waitNs == Long.MAX_VALUE ? -1 : (int) Math.min((waitNs + 999_999) / 1_000_000, Integer.MAX_VALUE);
    }

    private long poll(Progress progress, int waitMs) {
        if (progress == Progress.SINK_BLOCKED) {
            return kernel.polls().await(Flow.descriptor(flow.sink), Polls.POLLOUT, waitMs, flow.scratch);
        }
        if (progress == Progress.AWAITING_COMPLETIONS) {
            return kernel.polls().await(Flow.descriptor(flow.sink), 0, waitMs, flow.scratch);
        }
        Descriptor source = Flow.descriptor(flow.source);
        if (!watchSink || flow.sink.kind() == Endpoint.Kind.FILE || flow.sink.kind() == Endpoint.Kind.MEMORY) {
            return kernel.polls().await(source, Polls.POLLIN, waitMs, flow.scratch);
        }
        return kernel.polls().await(source, Polls.POLLIN, Flow.descriptor(flow.sink), 0, waitMs, flow.scratch);
    }

    /// A sink that goes away while we wait for the source would not be noticed by any write.
    private Optional<Failure> lookAtSink(long ready) {
        long ofSink = ready >> 16;
        if ((ofSink & TROUBLE) == 0) {
            return Optional.empty();
        }
        long error = flow.sink instanceof Endpoint.Socket(Descriptor socket)
                ? kernel.sockets().takeError(socket)
                : -Errno.EPIPE;
        if (error == 0 && (ofSink & Polls.POLLHUP) == 0) {
            watchSink = false; // somebody's message in the error queue; it would wake us for ever
            return Optional.empty();
        }
        flow.fail(Flow.Side.SINK, flow.writeCall(), error == 0 ? -Errno.EPIPE : error);
        return Optional.of(Failure.PEER_GONE);
    }

    /// Puts the sockets' timeouts back.
    @Override
    public void close() {
        restore(flow.source, false, sourceTimeoutNs);
        restore(flow.sink, true, sinkTimeoutNs);
    }

    private void restore(Endpoint end, boolean sending, long timeoutNs) {
        if (timeoutNs >= 0 && end instanceof Endpoint.Socket(Descriptor socket)) {
            kernel.sockets().setTimeout(socket, sending, timeoutNs);
        }
    }
}
