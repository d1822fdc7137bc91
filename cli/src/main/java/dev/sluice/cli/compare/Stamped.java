package dev.sluice.cli.compare;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

/// Content for files that are written from memory: every piece is the same but for its first eight bytes, which say
/// where it belongs. So a piece costs the writer one store, and one that is missing, stale or elsewhere is found.
final class Stamped {
    private static final long SEED = 7;

    private Stamped() {}

    /// Fills a buffer for pieces of its size.
    static void fill(MemorySegment piece) {
        byte[] bytes = new byte[(int) piece.byteSize()];
        new Random(SEED).nextBytes(bytes);
        MemorySegment.copy(bytes, 0, piece, ValueLayout.JAVA_BYTE, 0, bytes.length);
    }

    /// Makes it the piece of this position.
    static void stamp(MemorySegment piece, long position) {
        if (piece.byteSize() >= Long.BYTES) {
            piece.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, position);
        }
    }

    /// @throws IOException when a file isn't made of such pieces, the last one cut
    static void check(Path file, long lengthBytes, int pieceBytes, String what) throws IOException {
        ByteBuffer wanted = ByteBuffer.allocateDirect(pieceBytes);
        MemorySegment wantedBytes = MemorySegment.ofBuffer(wanted);
        fill(wantedBytes);
        ByteBuffer found = ByteBuffer.allocateDirect(pieceBytes);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            for (long position = 0; position < lengthBytes; position += pieceBytes) {
                int length = (int) Math.min(pieceBytes, lengthBytes - position);
                found.clear().limit(length);
                while (found.hasRemaining() && channel.read(found, position + found.position()) > 0) {
                    // short reads are ordinary
                }
                stamp(wantedBytes, position);
                if (found.hasRemaining() || found.flip().mismatch(wanted.clear().limit(length)) >= 0) {
                    throw new IOException(what + " wrote other bytes than it was given, in the " + length
                            + " from byte " + position + " on; the comparison is void");
                }
            }
        }
    }
}
