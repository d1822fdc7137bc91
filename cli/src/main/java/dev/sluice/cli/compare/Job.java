package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.NetworkPath;
import dev.sluice.io.transfer.Transfers;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What one move is to do.
///
/// @param source      the user's file
/// @param position    first byte to move
/// @param lengthBytes how many, at least 1
/// @param pieceBytes  most bytes that one call is asked to move
/// @param peer        where the other side listens; it knows what comes
/// @param path        the way to the peer
/// @param sink        a file to write to: there, and empty
/// @param cachedShare the part of the bytes that was in the page cache before, 0 to 1
/// @param kept        where what is read into memory is copied to, to be checked; null where the time counts
public record Job(
        Kernel kernel,
        Transfers transfers,
        Path source,
        long position,
        long lengthBytes,
        int pieceBytes,
        InetSocketAddress peer,
        NetworkPath path,
        Path sink,
        double cachedShare,
        @Nullable MemorySegment kept) {
    /// Keeps bytes that were read, where they shall be checked.
    ///
    /// @param position from the job's first byte on
    void keep(MemorySegment bytes, long position) {
        if (kept != null) {
            kept.asSlice(position, bytes.byteSize()).copyFrom(bytes);
        }
    }
}
