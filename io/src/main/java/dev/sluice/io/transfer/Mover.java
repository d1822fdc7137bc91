package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;

/// One method at work: moves bytes of a [Flow] a step at a time, and holds what it has taken and not delivered yet.
///
/// Owned by the transfer's thread. Made for the flow's present state, so that a transfer can go on with another mover
/// where one was refused. A mover that holds no bytes may be closed at any time.
abstract class Mover implements AutoCloseable {
    final Flow flow;
    private final Method method;

    Mover(Flow flow, Method method) {
        this.flow = flow;
        this.method = method;
    }

    /// Moves some bytes: a few calls at most.
    ///
    /// @param wanted most bytes to take from the source, ≥ 1, or 0 when all was taken and what is held is to be
    ///               delivered
    abstract Flow.Step step(long wanted);

    /// Whether an error number says that this way isn't offered here, so that another may serve.
    boolean isRefusal(int errno) {
        return errno == Errno.EINVAL || errno == Errno.EOPNOTSUPP || errno == Errno.ENOSYS || errno == Errno.EPERM;
    }

    /// Whether a refusal will be repeated for other transfers between such ends, and so is worth remembering.
    boolean isLasting(int errno) {
        return true;
    }

    /// What the bytes of the next step count as: the mover's method, unless it has gone over to a simpler one by
    /// itself.
    Method method() {
        return method;
    }

    /// After the last byte was delivered: whether the kernel is done with our memory.
    ///
    /// @return MOVED when it is, AWAITING_COMPLETIONS or FAILED
    Flow.Step settle() {
        return Flow.Step.MOVED;
    }

    /// Bytes of memory that the kernel may still read although they were delivered.
    long inFlightBytes() {
        return 0;
    }

    /// What a call came to that moves bytes from end to end by itself: `result` of them, or an error of either end.
    final Flow.Step movedByKernel(long result, Call call) {
        if (result < 0) {
            return flow.outcome(result, call, Flow.Side.EITHER, Flow.Step.SINK_BLOCKED);
        }
        flow.taken += result;
        flow.delivered += result;
        return Flow.Step.MOVED;
    }

    /// Frees what the mover holds, if anything; undelivered bytes are lost.
    @Override
    public void close() {}
}
