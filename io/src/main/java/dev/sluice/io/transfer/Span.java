package dev.sluice.io.transfer;

import dev.sluice.io.linux.Descriptor;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A range of a file that is to be sent, and the hold that keeps the file open until it was.
///
/// @param file        the open file; borrowed for as long as the hold lasts
/// @param position    first byte
/// @param lengthBytes number of bytes, ≥ 0
/// @param inMemory    the same bytes, where they lie in memory already, valid as long as the hold lasts; empty where
///     they are in the file alone
/// @param isPastCache whether the page cache shall not be filled with the file for its sake
/// @param hold        released exactly once, when the span was sent or given up
public record Span(
        Descriptor file,
        long position,
        long lengthBytes,
        List<MemorySegment> inMemory,
        boolean isPastCache,
        Hold hold) {
    /// Through the page cache.
    public Span(Descriptor file, long position, long lengthBytes, Hold hold) {
        this(file, position, lengthBytes, List.of(), false, hold);
    }
}
