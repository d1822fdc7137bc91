package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.NetworkPath;
import dev.sluice.io.transfer.Transfers;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/// What one move is to do.
///
/// @param source      the user's file
/// @param position    first byte to move
/// @param lengthBytes how many, at least 1
/// @param pieceBytes  most bytes that one call is asked to move
/// @param peer        where the child process listens; it knows what comes
/// @param path        the way to the peer
/// @param sink        a file to write to: there, and empty
/// @param cachedShare the part of the bytes that was in the page cache before, 0 to 1
record Job(
        Kernel kernel,
        Transfers transfers,
        Path source,
        long position,
        long lengthBytes,
        int pieceBytes,
        InetSocketAddress peer,
        NetworkPath path,
        Path sink,
        double cachedShare) {}
