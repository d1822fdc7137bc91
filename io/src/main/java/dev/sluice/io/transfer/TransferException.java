package dev.sluice.io.transfer;

import java.io.IOException;
import java.io.Serial;

/// A transfer could not be completed. Says how far it came, so that the caller can resume, repair or tell.
public final class TransferException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// What happened, and so whose it is to mend.
    public enum Failure {
        /// The source file is shorter than asked for: it was truncated meanwhile, or the range was wrong.
        SOURCE_SHRANK,
        /// The source's peer closed its side before the length asked for.
        SOURCE_CLOSED,
        /// Reading failed: the device, or memory that isn't backed.
        SOURCE_FAILED,
        /// A peer is gone: reset, closed, unreachable.
        PEER_GONE,
        /// The sink's disk, quota or size limit is reached.
        OUT_OF_SPACE,
        /// Writing failed for another reason.
        SINK_FAILED,
        /// Nothing moved for the idle timeout.
        STALLED,
        /// The whole took longer than the timeout.
        TIMED_OUT,
        /// [Cancellation] was asked for.
        CANCELLED,
        /// The system refuses the only method allowed.
        UNSUPPORTED
    }

    private final Failure failure;
    private final int errno;
    private final long deliveredBytes;
    private final long takenBytes;

    TransferException(Failure failure, int errno, long deliveredBytes, long takenBytes, String message) {
        super(message);
        this.failure = failure;
        this.errno = errno;
        this.deliveredBytes = deliveredBytes;
        this.takenBytes = takenBytes;
    }

    /// What happened.
    public Failure failure() {
        return failure;
    }

    /// The positive error number of [dev.sluice.io.linux.Errno] that the system gave, 0 where it gave none.
    public int errno() {
        return errno;
    }

    /// Bytes that the sink took. A socket that took them need not have sent them.
    public long deliveredBytes() {
        return deliveredBytes;
    }

    /// Bytes that the source gave. From a socket or a pipe the difference to [#deliveredBytes] is lost.
    public long takenBytes() {
        return takenBytes;
    }
}
