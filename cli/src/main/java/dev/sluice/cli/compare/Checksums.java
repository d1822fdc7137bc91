package dev.sluice.cli.compare;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.zip.CRC32C;

/// CRC32C of each MiB of a range, the last one of what is left: how what arrived is compared with what was sent.
///
/// The sums of the source are taken once, before anything is measured. A receiver takes those of what it received from
/// a buffer that is still
/// in the processor's cache (about 0.05 s/GiB), so that checking every byte hardly slows what is measured.
record Checksums(int[] sums) {
    static final int BLOCK_BYTES = 1 << 20;
    private static final int PIECE_BYTES = 256 << 10;

    /// Where bytes to be summed come from.
    @FunctionalInterface
    interface Pieces {
        /// @return the next bytes, at most so many; none at the end. Valid until the next call
        ByteBuffer next(int mostBytes) throws IOException;
    }

    /// Takes and sums exactly `lengthBytes`.
    ///
    /// @throws EOFException when there are fewer
    static Checksums of(Pieces pieces, long lengthBytes, int pieceBytes) throws IOException {
        int[] sums = new int[Math.toIntExact(Math.ceilDiv(lengthBytes, BLOCK_BYTES))];
        CRC32C sum = new CRC32C();
        long done = 0;
        while (done < lengthBytes) {
            long blockLeft = BLOCK_BYTES - done % BLOCK_BYTES;
            ByteBuffer piece = pieces.next((int) Math.min(Math.min(pieceBytes, blockLeft), lengthBytes - done));
            int n = piece.remaining();
            if (n == 0) {
                throw new EOFException("ended after " + done + " of " + lengthBytes + " bytes");
            }
            sum.update(piece);
            done += n;
            if (done % BLOCK_BYTES == 0 || done == lengthBytes) {
                sums[(int) ((done - 1) / BLOCK_BYTES)] = (int) sum.getValue();
                sum.reset();
            }
        }
        return new Checksums(sums);
    }

    /// Of a range of a file.
    static Checksums of(Path file, long position, long lengthBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE_BYTES);
            channel.position(position);
            return of(
                    most -> {
                        channel.read(buffer.clear().limit(most));
                        return buffer.flip();
                    },
                    lengthBytes,
                    PIECE_BYTES);
        }
    }

    /// Of memory.
    static Checksums of(MemorySegment memory) throws IOException {
        long[] done = new long[1];
        return of(
                most -> {
                    done[0] += most;
                    return memory.asSlice(done[0] - most, most).asByteBuffer();
                },
                memory.byteSize(),
                PIECE_BYTES);
    }

    /// Those of a range that begins at a block and ends at one, or at the end.
    Checksums range(long position, long lengthBytes) {
        int from = Math.toIntExact(position / BLOCK_BYTES);
        return new Checksums(
                Arrays.copyOfRange(sums, from, from + Math.toIntExact(Math.ceilDiv(lengthBytes, BLOCK_BYTES))));
    }

    /// @throws IOException that names the first block that differs
    void check(Checksums received, String what) throws IOException {
        int different = Arrays.mismatch(sums, received.sums);
        if (different >= 0) {
            throw new IOException(what + " delivered other bytes than the source has, in MiB " + different
                    + " of its range; the comparison is void");
        }
    }
}
