package dev.sluice.io.seal;

import java.io.IOException;
import java.io.Serial;

/// A sealed stream could not be opened. What was delivered before was authentic.
public final class SealException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// What is wrong with the stream.
    public enum Reason {
        /// It doesn't begin as a sealed stream does.
        NOT_SEALED,
        /// A segment isn't what was sealed with this key, at this place: another key, a changed bit, a segment
        /// that was moved, repeated or left out, bytes behind the end.
        NOT_AUTHENTIC,
        /// It ends before its last segment.
        TRUNCATED
    }

    private final Reason reason;
    private final long deliveredBytes;

    SealException(Reason reason, long deliveredBytes, String message) {
        super(message);
        this.reason = reason;
        this.deliveredBytes = deliveredBytes;
    }

    /// What was wrong, and so whether another key would help.
    public Reason reason() {
        return reason;
    }

    /// Plaintext bytes that the sink has taken, all of them authentic; of a file, throw them away.
    public long deliveredBytes() {
        return deliveredBytes;
    }
}
