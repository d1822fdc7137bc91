package dev.sluice.log;

import java.io.IOException;
import java.io.Serial;

/// A data folder can't be used. The message is one line that says what to do.
public abstract sealed class LogDirectoryException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private LogDirectoryException(String message) {
        super(message);
    }

    /// Another broker has it open.
    public static final class Held extends LogDirectoryException {
        @Serial
        private static final long serialVersionUID = 1L;

        Held(String message) {
            super(message);
        }
    }

    /// It can't be read or written.
    public static final class Inaccessible extends LogDirectoryException {
        @Serial
        private static final long serialVersionUID = 1L;

        Inaccessible(String message) {
            super(message);
        }
    }

    /// It is not ours: foreign files, another cluster's or node's, or another version's.
    public static final class Foreign extends LogDirectoryException {
        @Serial
        private static final long serialVersionUID = 1L;

        Foreign(String message) {
            super(message);
        }
    }
}
