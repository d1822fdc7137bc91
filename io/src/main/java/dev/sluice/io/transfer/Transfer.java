package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.TransferAccount.Fallback;
import dev.sluice.io.transfer.TransferException.Failure;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Moves a number of bytes from one end to another, by a method that may change on the way.
///
/// ```
///             ┌─ refused: the next method ─┐
///  READY → MOVING ─────────────────────────┘→ SETTLING (zero-copy sends under way) → DONE
///             └────────────→ FAILED ←───────────┘
/// ```
///
/// Two ways to use it. [#run] moves everything and waits, in the kernel on blocking ends and by poll(2) on others.
/// [#step] never waits on non-blocking ends and says what to wait for, for event loops. Owned by one thread at a time;
/// the ends are borrowed. Close it in any case: it holds pipes, buffers and maps.
public final class Transfer implements AutoCloseable {
    /// As a length: all that the source gives, until the file ends or the peer closes.
    public static final long UNTIL_END = Long.MAX_VALUE;

    /// How far a [#step] came.
    public enum Progress {
        /// Everything was delivered, and no memory of ours is in the kernel's hands.
        DONE,
        /// The share was used up: step again soon, others first.
        YIELDED,
        /// Step again when the source is readable.
        SOURCE_BLOCKED,
        /// Step again when the sink is writable.
        SINK_BLOCKED,
        /// Everything that fits was handed over; step again when the sink reports an error event, which is how
        /// a socket says that its error queue has messages. Don't listen for writability meanwhile: it is
        /// writable.
        AWAITING_COMPLETIONS
    }

    private enum State {
        READY,
        MOVING,
        SETTLING,
        DONE,
        FAILED
    }

    /// From a file: stays in the second-level cache. Measured with 16 KiB to 1 MiB: file to file 0.26, 0.24, 0.22,
    /// 0.21 s/GiB from 64 KiB on, file to socket 0.24–0.31 s/GiB whatever the size, best here.
    private static final long FILE_BUFFER_BYTES = 256 << 10;

    /// From a socket or pipe, whose sender is woken the less often the more we take: socket to file 0.67, 0.43,
    /// 0.31, 0.27 s/GiB with 64, 128, 256 KiB and 1 MiB.
    private static final long STREAM_BUFFER_BYTES = 1 << 20;

    private final Transfers shared;
    private final Kernel kernel;
    private final Account tally;
    private final Plan plan;
    private final TransferOptions options;
    private final Flow flow;
    private final Iterator<Method> others;
    private final Map<Method, Long> bytesByMethod = new EnumMap<>(Method.class);
    private final List<Fallback> fallbacks = new ArrayList<>();
    private State state = State.READY;
    private @Nullable Mover mover;
    private @Nullable TransferException failure;
    private @Nullable Usage usage;
    private double cachedShare = -1;

    Transfer(
            Transfers shared,
            Kernel kernel,
            Account tally,
            Endpoint source,
            Endpoint sink,
            long lengthBytes,
            Plan plan,
            TransferOptions options)
            throws ErrnoException {
        this.shared = shared;
        this.kernel = kernel;
        this.tally = tally;
        this.plan = plan;
        this.options = options;
        this.others = plan.fallbacks().iterator();
        this.flow = new Flow(
                kernel,
                source,
                sink,
                lengthBytes,
                options,
                isGuarded(kernel, source, options),
                isGuarded(kernel, sink, options));
    }

    /// A blocking pipe has no time-outs as sockets have, so with limits it is asked before each call.
    private static boolean isGuarded(Kernel kernel, Endpoint end, TransferOptions options) {
        return options.hasLimits() && end instanceof Endpoint.Pipe pipe && isBlocking(kernel, pipe.descriptor());
    }

    private static boolean isBlocking(Kernel kernel, Descriptor descriptor) {
        return (kernel.files().openFlags(descriptor) & Files.O_NONBLOCK) == 0;
    }

    /// What the transfer began with, and why.
    public Plan plan() {
        return plan;
    }

    /// Bytes that the sink has taken so far.
    public long deliveredBytes() {
        return flow.delivered;
    }

    /// Bytes of memory that the kernel may still read, after zero-copy sends. Takes the completions that are there.
    ///
    /// 0 once the transfer is done. After a failure, or a close before the end, memory given as a source must not
    /// change until this answers 0: ask while its socket is open.
    public long inFlightBytes() {
        Mover current = mover;
        if (current == null || current.inFlightBytes() == 0) {
            return 0;
        }
        current.settle();
        return current.inFlightBytes();
    }

    /// What it cost so far. See [TransferAccount] for what it asks the system.
    public TransferAccount account() {
        return TransferAccount.of(
                shared.kernel,
                flow,
                plan,
                Collections.unmodifiableMap(new EnumMap<>(bytesByMethod)),
                List.copyOf(fallbacks),
                tally.snapshot(),
                Optional.ofNullable(usage),
                cachedShare);
    }

    /// Moves bytes until `shareBytes` were delivered in this step, all is done, or an end isn't ready.
    ///
    /// With blocking ends it waits in the kernel. Timeouts are [#run]'s; a loop has timers of its own.
    ///
    /// @param shareBytes ≥ 1; a call that moves more in one go (a clone) is not cut
    /// @throws TransferException when it can't go on; every later step throws the same
    public Progress step(long shareBytes) throws TransferException {
        if (failure != null) {
            throw failure;
        }
        if (state == State.DONE) {
            return Progress.DONE;
        }
        state = state == State.READY ? State.MOVING : state;
        long until = flow.delivered + Math.min(shareBytes, Long.MAX_VALUE - flow.delivered);
        while (true) {
            if (options.cancellation().isPresent()
                    && options.cancellation().get().isCancelled()) {
                throw fail(Failure.CANCELLED, 0, "cancelled");
            }
            if (state == State.SETTLING || flow.delivered == flow.lengthBytes) {
                return settle();
            }
            if (flow.delivered >= until) {
                return Progress.YIELDED;
            }
            Mover current = mover;
            if (current == null) {
                current = firstMover();
            }
            switch (move(current, until - flow.delivered)) {
                case MOVED -> tell();
                case SOURCE_BLOCKED -> {
                    return Progress.SOURCE_BLOCKED;
                }
                case SINK_BLOCKED -> {
                    return Progress.SINK_BLOCKED;
                }
                case AWAITING_COMPLETIONS -> {
                    return Progress.AWAITING_COMPLETIONS;
                }
                case SOURCE_ENDED -> sourceEnded(current);
                case FAILED -> refusedOrFailed(current);
            }
        }
    }

    private Flow.Step move(Mover current, long wanted) {
        long before = flow.delivered;
        Method method = current.method();
        Flow.Step step = current.step(Math.min(wanted, flow.left()));
        if (flow.delivered > before) {
            bytesByMethod.merge(method, flow.delivered - before, Long::sum);
        }
        noteSimplification(current);
        return step;
    }

    private void noteSimplification(Mover current) {
        if (flow.simplification != null) {
            fallbacks.add(new Fallback(
                    Method.ZEROCOPY_SEND, current.method(), Optional.empty(), 0, flow.simplification, flow.delivered));
            flow.simplification = null;
        }
    }

    private void tell() {
        if (options.listener().isPresent()) {
            options.listener().get().moved(flow.delivered, flow.lengthBytes);
        }
    }

    private Progress settle() throws TransferException {
        state = State.SETTLING;
        Mover current = mover;
        if (current != null) {
            Flow.Step settled = current.settle();
            noteSimplification(current);
            if (settled == Flow.Step.AWAITING_COMPLETIONS) {
                return Progress.AWAITING_COMPLETIONS;
            }
            if (settled == Flow.Step.FAILED) {
                throw failedCall();
            }
            current.close();
            mover = null;
        }
        state = State.DONE;
        return Progress.DONE;
    }

    private Mover firstMover() throws TransferException {
        try {
            Mover first = open(plan.method());
            mover = first;
            return first;
        } catch (ErrnoException e) {
            return nextMover(plan.method(), e.call(), e.errno(), e.errno() != Errno.ENOMEM);
        }
    }

    private Mover open(Method method) throws ErrnoException {
        boolean strict = options.strict();
        return switch (method) {
            case READ_WRITE -> new ReadWriteMover(flow, shared.buffers, shared.buffers.take(kernel, bufferBytes()));
            case MMAP_WRITE -> new MmapWriteMover(flow, shared.maps);
            case SENDFILE -> new SendfileMover(flow);
            case SPLICE -> new SpliceMover(flow, shared.pipes, shared.buffers);
            case COPY_FILE_RANGE -> new CopyRangeMover(flow);
            case REFLINK -> new ReflinkMover(flow);
            case ZEROCOPY_SEND ->
                new ZerocopySendMover(flow, shared.zerocopySocket(Flow.descriptor(flow.sink)), strict);
            case ZEROCOPY_RECEIVE -> new ZerocopyReceiveMover(flow, shared.buffers, strict);
            case READ, WRITE -> new MemoryMover(flow, shared.buffers);
        };
    }

    private long bufferBytes() {
        if (flow.chunkBytes > 0) {
            return flow.chunkBytes;
        }
        long usual = flow.source.kind() == Endpoint.Kind.FILE ? FILE_BUFFER_BYTES : STREAM_BUFFER_BYTES;
        return Math.max(1, Math.min(usual, flow.left()));
    }

    /// Goes on with the next method of the plan that can be begun.
    private Mover nextMover(Method from, Call call, int errno, boolean lasting) throws TransferException {
        Method refused = from;
        Call refusedCall = call;
        int refusedErrno = errno;
        if (lasting) {
            shared.planner.refused(kernel, flow.source, flow.sink, from, new Planner.Refusal(call, errno));
        }
        while (others.hasNext()) {
            Method method = others.next();
            fallbacks.add(new Fallback(
                    refused,
                    method,
                    Optional.of(refusedCall),
                    refusedErrno,
                    refusedCall.kernelName() + " said " + Errno.describe(refusedErrno),
                    flow.delivered));
            try {
                Mover next = open(method);
                mover = next;
                return next;
            } catch (ErrnoException e) {
                refused = method;
                refusedCall = e.call();
                refusedErrno = e.errno();
            }
        }
        throw fail(
                Failure.UNSUPPORTED,
                refusedErrno,
                refused.label() + " isn't possible between these ends: " + refusedCall.kernelName() + " said "
                        + Errno.describe(refusedErrno));
    }

    private void refusedOrFailed(Mover current) throws TransferException {
        int errno = flow.failedErrno;
        boolean holdsNothing = flow.taken == flow.delivered && current.inFlightBytes() == 0;
        if (holdsNothing && current.isRefusal(errno)) {
            if (errno == Errno.EFAULT && options.strict()) {
                throw unbacked();
            }
            Call call = flow.failedCall;
            current.close();
            mover = null;
            nextMover(current.method(), call, errno, current.isLasting(errno));
            return;
        }
        throw failedCall();
    }

    /// A map of the source wasn't backed, and only this method is allowed: was the file truncated, or did its
    /// device fail?
    private TransferException unbacked() {
        long size = flow.sourceSize();
        if (!flow.untilEnd() && size < ((Endpoint.File) flow.source).position() + flow.lengthBytes) {
            return shrank(size);
        }
        long n = flow.probeSource();
        int errno = n < 0 ? (int) -n : Errno.EFAULT;
        return fail(
                Failure.SOURCE_FAILED, errno, "reading " + flow.source.name() + " failed: " + Errno.describe(errno));
    }

    private void sourceEnded(Mover current) throws TransferException {
        if (flow.sourceEndedAt >= 0) {
            throw shrank(flow.sourceEndedAt);
        }
        if (flow.source.kind() == Endpoint.Kind.FILE
                && current.method() != Method.READ_WRITE
                && current.method() != Method.READ) {
            // Some calls answer 0 for files without a real length, such as those of /proc. A read knows.
            long n = flow.probeSource();
            if (n > 0) {
                flow.fail(Flow.Side.SOURCE, Call.PREAD, -Errno.EINVAL);
                current.close();
                mover = null;
                nextMover(current.method(), Call.PREAD, Errno.EINVAL, false);
                return;
            }
        }
        if (flow.untilEnd()) {
            state = State.SETTLING;
            return;
        }
        throw flow.source.kind() == Endpoint.Kind.FILE
                ? shrank(Math.min(flow.sourceSize(), flow.sourcePosition()))
                : fail(Failure.SOURCE_CLOSED, 0, flow.source.name() + " was closed by the other end");
    }

    private TransferException shrank(long sizeBytes) {
        long begin = ((Endpoint.File) flow.source).position();
        String beyond = begin + flow.delivered > sizeBytes
                ? "; the last " + (begin + flow.delivered - sizeBytes)
                        + " bytes delivered may be zeros from behind its end"
                : "";
        return fail(
                Failure.SOURCE_SHRANK,
                0,
                flow.source.name() + " ends at byte " + sizeBytes + ", expected "
                        + (flow.untilEnd() ? "more" : "at least " + (begin + flow.lengthBytes)) + beyond
                        + "; was it truncated meanwhile?");
    }

    private TransferException failedCall() {
        int errno = flow.failedErrno;
        Failure kind = switch (errno) {
            case Errno.ENOSPC, Errno.EDQUOT, Errno.EFBIG -> Failure.OUT_OF_SPACE;
            case Errno.EPIPE,
                    Errno.ECONNRESET,
                    Errno.ECONNABORTED,
                    Errno.ETIMEDOUT,
                    Errno.ENOTCONN,
                    Errno.EHOSTUNREACH,
                    Errno.ENETUNREACH -> Failure.PEER_GONE;
            default -> flow.failedSide == Flow.Side.SINK ? Failure.SINK_FAILED : Failure.SOURCE_FAILED;
        };
        return fail(kind, errno, flow.failedCall.kernelName() + " said " + Errno.describe(errno));
    }

    private TransferException fail(Failure kind, int errno, String what) {
        String length = flow.untilEnd() ? "" : " of " + flow.lengthBytes;
        String lost = flow.taken > flow.delivered && flow.source.kind() != Endpoint.Kind.FILE
                ? ", " + (flow.taken - flow.delivered) + " more were taken from the source and are lost"
                : "";
        String held = flow.source.kind() == Endpoint.Kind.MEMORY && mover != null && mover.inFlightBytes() > 0
                ? ", " + mover.inFlightBytes() + " bytes of the memory are still the kernel's"
                : "";
        TransferException thrown = new TransferException(
                kind,
                errno,
                flow.delivered,
                flow.taken,
                flow.source.name() + " to " + flow.sink.name() + ": " + what + " (" + flow.delivered + length
                        + " bytes were delivered" + lost + held + ")");
        failure = thrown;
        state = State.FAILED;
        return thrown;
    }

    /// Moves everything, waiting as long as it takes or the options allow.
    ///
    /// @return bytes delivered: the length, or all that the source had
    public long run() throws TransferException {
        Usage.@Nullable Probe probe = null;
        try (Deadline deadline = new Deadline(shared.clockNs, kernel, flow, options)) {
            if (options.measured()) {
                cachedShare = flow.cachedShare(shared.kernel);
                probe = Usage.start(shared.kernel, Usage.Scope.THREAD);
            }
            while (true) {
                Progress progress = step(Long.MAX_VALUE);
                switch (progress) {
                    case DONE -> {
                        return flow.delivered;
                    }
                    case YIELDED -> {}
                    case SOURCE_BLOCKED, SINK_BLOCKED, AWAITING_COMPLETIONS -> {
                        Optional<Failure> late = deadline.await(progress);
                        if (late.isPresent()) {
                            throw late(late.get());
                        }
                    }
                }
            }
        } catch (ErrnoException e) {
            throw fail(Failure.SOURCE_FAILED, e.errno(), e.getMessage());
        } finally {
            if (probe != null) {
                try {
                    usage = probe.stop();
                } catch (ErrnoException e) {
                    usage = null; // getrusage of ourselves doesn't fail; a sandbox that forbids it gets no figures
                }
            }
        }
    }

    private TransferException late(Failure kind) {
        return switch (kind) {
            case STALLED -> fail(kind, 0, "nothing moved for " + options.idleTimeoutNs() / 1_000_000 + " ms");
            case TIMED_OUT -> fail(kind, 0, "not done within " + options.timeoutNs() / 1_000_000 + " ms");
            case CANCELLED -> fail(kind, 0, "cancelled");
            default -> failedCall();
        };
    }

    /// Gives back pipes, buffers and maps. What was not delivered stays undelivered; memory that the kernel still
    /// reads stays its own, see [#inFlightBytes].
    @Override
    public void close() {
        if (mover != null) {
            mover.close();
        }
        if (state != State.DONE && failure == null) {
            fail(Failure.CANCELLED, 0, "closed before it was done");
        }
    }
}
