package dev.sluice.io.cache;

import dev.sluice.io.linux.Errno;
import java.io.IOException;
import java.io.Serial;
import java.nio.file.Path;

/// Delayed writes of a file were lost. What a caller wrote before, and was told nothing bad about, may not be on disk.
///
/// The file is fenced: everything on it throws this until it is closed, opened and looked at. Nothing was tried again:
/// after a failed write a device may say that all is well and have kept nothing.
public final class WriteBackException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int errno;
    private final long position;

    WriteBackException(Path path, long position, int errno) {
        super("Write-back of " + path + (position < 0 ? ", its sync" : " at byte " + position) + ": "
                + Errno.describe(errno)
                + ". Delayed writes to it are lost; close it, open it and check what is there");
        this.errno = errno;
        this.position = position;
    }

    /// The same once more, for another call on the fenced file.
    WriteBackException(WriteBackException first) {
        super(first.getMessage(), first);
        this.errno = first.errno;
        this.position = first.position;
    }

    /// The positive error number.
    public int errno() {
        return errno;
    }

    /// First byte of the block that could not be written; −1 when it was the sync.
    public long position() {
        return position;
    }
}
