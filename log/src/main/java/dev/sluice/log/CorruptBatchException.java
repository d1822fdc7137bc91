package dev.sluice.log;

import java.io.IOException;
import java.io.Serial;

/// A stored batch is not what was written: bytes below the published end were changed or lost.
public final class CorruptBatchException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final String file;
    private final long position;

    /// @param file     the segment's file
    /// @param position first byte of the batch
    /// @param expected what should be there
    /// @param found    what is there
    public CorruptBatchException(String file, long position, String expected, String found) {
        super("Corrupt batch in " + file + " at byte " + position + ": expected " + expected + ", found " + found
                + ". Check the disk; restart the broker to have the partition recovered, or restore the file.");
        this.file = file;
        this.position = position;
    }

    /// The segment's file.
    public String file() {
        return file;
    }

    /// The first byte of what should be a batch.
    public long position() {
        return position;
    }
}
