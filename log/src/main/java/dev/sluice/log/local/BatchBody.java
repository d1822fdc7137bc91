package dev.sluice.log.local;

import dev.sluice.log.Compression;
import dev.sluice.log.CorruptBatchException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// What a reader does with batches that needs memory of its own: checksums and decompression. Both are native code, for
/// which mapped memory is a hazard (see [SegmentMap]): they get a private copy, for checksums a small one that stays in
/// the processor's nearest cache.
///
/// Owned by one thread, which closes it.
final class BatchBody implements AutoCloseable {
    private static final int PIECE_BYTES = 16 << 10;
    /// What a batch may become when it is opened: a bomb of a few KiB must not take the process along.
    private static final long MOST_OPENED_BYTES = 512L << 20;

    private final CRC32C checksum = new CRC32C();
    private final Arena pieceArena = Arena.ofConfined();
    private final MemorySegment piece = pieceArena.allocate(PIECE_BYTES, 64);
    private final ByteBuffer pieceView = piece.asByteBuffer();
    private final byte[] chunk = new byte[PIECE_BYTES];

    private Arena openedArena = Arena.ofConfined();
    private MemorySegment opened = MemorySegment.NULL;

    /// The CRC-32C of a range.
    int crc(MemorySegment memory, long position, long lengthBytes) {
        checksum.reset();
        for (long done = 0; done < lengthBytes; ) {
            int now = (int) Math.min(PIECE_BYTES, lengthBytes - done);
            MemorySegment.copy(memory, position + done, piece, 0, now);
            checksum.update(pieceView.limit(now).position(0));
            done += now;
        }
        return (int) checksum.getValue();
    }

    /// Opens compressed records into memory of our own.
    ///
    /// @param file for messages
    /// @return the records; valid until the next call
    MemorySegment open(
            @Nullable Decompressor decompressor,
            Compression compression,
            MemorySegment memory,
            long position,
            int lengthBytes,
            String file)
            throws IOException {
        if (decompressor == null) {
            throw new LocalLogException(
                    LocalLogException.Reason.COMPRESSED,
                    "The batch in " + file + " at byte " + position + " is compressed (" + compression
                            + "), and this reader was given no Decompressor");
        }
        if (compression == Compression.UNKNOWN) {
            throw new CorruptBatchException(file, position, "a compression that is known", "another");
        }
        ByteBuffer copy = ByteBuffer.allocate(lengthBytes);
        MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, position, copy.array(), 0, lengthBytes);
        long filled = 0;
        try (InputStream in = decompressor.open(compression, copy)) {
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                if (filled + n > opened.byteSize()) {
                    grow(filled, filled + n, file, position);
                }
                MemorySegment.copy(chunk, 0, opened, ValueLayout.JAVA_BYTE, filled, n);
                filled += n;
            }
        }
        return opened.asSlice(0, filled).asReadOnly();
    }

    private void grow(long filled, long wanted, String file, long position) throws CorruptBatchException {
        if (wanted > MOST_OPENED_BYTES) {
            throw new CorruptBatchException(
                    file, position, "records of at most " + MOST_OPENED_BYTES + " bytes, decompressed", "more");
        }
        Arena arena = Arena.ofConfined();
        MemorySegment larger = arena.allocate(Math.max(2 * opened.byteSize(), Math.max(wanted, 64 << 10)));
        MemorySegment.copy(opened, 0, larger, 0, filled);
        openedArena.close();
        openedArena = arena;
        opened = larger;
    }

    @Override
    public void close() {
        pieceArena.close();
        openedArena.close();
    }
}
