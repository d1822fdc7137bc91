package dev.sluice.log.local;

import java.io.IOException;
import java.io.Serial;

/// A log can't be read, or read on, by a local reader. The message is one line that says what to do.
public final class LocalLogException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// Why.
    public enum Reason {
        /// The broker speaks to its own user, to root, and to those that it was configured to; we are none of
        /// them.
        NOT_ALLOWED(1),
        /// It has as many readers as it takes.
        BUSY(2),
        /// It did not understand the request: another version, or no local reader at all.
        MALFORMED(3),
        /// There is no such topic, or no such partition of it.
        UNKNOWN_PARTITION(4),
        /// [#earliest] and [#latest] say what there is.
        OFFSET_OUT_OF_RANGE(5),
        /// The partition was deleted, and all of it that was held was read.
        DELETED(6),
        /// The broker could not read or open its own file.
        STORAGE(7),
        /// It stopped, died or does not answer. Connect anew, and go on at [LocalReader#position].
        BROKER_GONE(0),
        /// The segment's file became shorter under us, or its device failed.
        UNREADABLE(0),
        /// Compressed records, and nobody was handed in who opens them.
        COMPRESSED(0);

        /// What stands for it in the protocol; 0 where only a reader can know.
        private final int code;

        Reason(int code) {
            this.code = code;
        }

        int code() {
            return code;
        }

        /// @return MALFORMED for a code that isn't known
        static Reason of(int code) {
            for (Reason reason : values()) {
                if (reason.code == code && code != 0) {
                    return reason;
                }
            }
            return MALFORMED;
        }
    }

    private final Reason reason;
    private final long earliest;
    private final long latest;

    LocalLogException(Reason reason, String message) {
        this(reason, message, 0, 0);
    }

    LocalLogException(Reason reason, String message, long earliest, long latest) {
        super(message);
        this.reason = reason;
        this.earliest = earliest;
        this.latest = latest;
    }

    /// What was wrong, and so what can be done.
    public Reason reason() {
        return reason;
    }

    /// The first offset there is, where an offset was out of range.
    public long earliest() {
        return earliest;
    }

    /// The offset of the next record to come, where an offset was out of range.
    public long latest() {
        return latest;
    }
}
