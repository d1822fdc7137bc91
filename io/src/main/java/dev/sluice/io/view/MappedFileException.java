package dev.sluice.io.view;

import java.io.IOException;
import java.io.Serial;
import java.nio.file.Path;

/// Mapped bytes were not there, or not the file's, when they were asked for.
public final class MappedFileException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    /// What was in the way.
    public enum Cause {
        /// The file is shorter than it was when it was mapped. Open it again; copy files that others truncate
        /// instead of mapping them.
        TRUNCATED,
        /// The file is as long as it was, but the kernel could not supply a page: the device failed, or there
        /// was no room for a store into a hole.
        UNBACKED,
        /// Somebody waits to truncate or to write the file, and its lease is being given up. Open it again
        /// later.
        LEASE_BROKEN
    }

    private final Cause why;
    private final transient Path path;
    private final long position;

    MappedFileException(Cause why, Path path, long position, String message) {
        super(message);
        this.why = why;
        this.path = path;
        this.position = position;
    }

    /// What was in the way, and so whether to open it again.
    public Cause why() {
        return why;
    }

    /// The file that is mapped.
    public Path path() {
        return path;
    }

    /// First byte of the range that was asked for.
    public long position() {
        return position;
    }
}
