package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Reads a segment's file from its start, every byte of it, and says how far it is made of batches that follow each
/// other.
///
/// **Padding.** The direct engine writes whole blocks. It fills the last one with zeros, and cuts them off when the
/// segment is sealed or the log closed; a process that is killed leaves them. So zeros up to the end of a file that
/// consists of whole blocks, fewer than a block, are an end and no damage.
///
/// **Filled ahead.** The engines of the page cache write zeros ahead of the batches. A process that is killed leaves
/// them, and of a batch that it had not published: the first pages, when it wrote; all but the length, when it stored,
/// for then the length comes last. So where a batch's length would be and is zero, and its offset is zero or the next
/// one, in a file of whole blocks without a whole batch behind, a file of those engines ends; and where a batch is zero
/// from a page's start on, and all behind it, it ends within a write.
///
/// By pread(2) in large pieces into memory of its own, never through a map: a checksum that runs into a page which
/// can't be read would end the process. A batch may be longer than the piece; it is checked as it passes, so a length
/// that is wrong costs no memory. Owned by one thread, which closes it.
final class SegmentScanner implements AutoCloseable {
    private static final int PIECE_BYTES = 1 << 20;
    private static final ValueLayout.OfLong OFFSET = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    /// What may follow a file's last batch and is no damage.
    enum Rest {
        /// Nothing: a broker has closed it.
        NOTHING,
        PADDED,
        /// Padding, or what was filled ahead.
        FILLED
    }

    /// Is shown every whole batch, in order.
    interface Visitor {
        /// @param header the batch's first 61 bytes; borrowed for the call
        void batch(BatchView header, int position);
    }

    /// What a scan found.
    ///
    /// @param validBytes where the whole batches end; padding may follow
    /// @param endOffset  the offset behind the last whole batch
    /// @param problem    what is wrong with the bytes at `validBytes`, or null when the file ends there
    record Result(
            int validBytes,
            long batches,
            long endOffset,
            @Nullable String problem) {}

    private final Kernel kernel;
    private final Rest rest;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment piece;
    private final ByteBuffer pieceView;
    private final MemorySegment headerMemory = arena.allocate(BatchView.HEADER_BYTES, 8);
    private final BatchView header =
            new BatchView().wrap(headerMemory, headerMemory.asByteBuffer(), 0, BatchView.HEADER_BYTES);
    private final CRC32C crc = new CRC32C();

    private long pieceStart;
    private long pieceEnd;
    private long bytesRead;

    /// @param largestFileBytes length of the longest file that it will scan
    /// @param rest             what the files may end in
    SegmentScanner(Kernel kernel, long largestFileBytes, Rest rest) {
        this.kernel = kernel;
        this.rest = rest;
        this.piece = arena.allocate(Math.clamp(largestFileBytes, BatchView.HEADER_BYTES, PIECE_BYTES), 64);
        this.pieceView = piece.asByteBuffer();
    }

    /// Bytes read in all scans.
    long bytesRead() {
        return bytesRead;
    }

    /// Scans one file.
    ///
    /// @param sizeBytes   its length
    /// @param baseOffset  the segment's base offset
    /// @param gapsAllowed whether offsets may be left out between batches, and within them
    /// @throws ErrnoException when the file can't be read
    Result scan(Descriptor file, int sizeBytes, long baseOffset, boolean gapsAllowed, Visitor visitor)
            throws ErrnoException {
        pieceStart = 0;
        pieceEnd = 0;
        return scanOn(file, 0, sizeBytes, baseOffset, baseOffset, gapsAllowed, visitor);
    }

    /// Scans on from the middle of the file that was scanned last.
    ///
    /// @param from        where a batch begins
    /// @param firstOffset what its base offset has to be, or at least be where gaps are allowed
    Result scanOn(
            Descriptor file,
            int from,
            int sizeBytes,
            long baseOffset,
            long firstOffset,
            boolean gapsAllowed,
            Visitor visitor)
            throws ErrnoException {
        int position = from;
        long batches = 0;
        long nextOffset = firstOffset;
        int epoch = LeaderEpochs.NONE;
        while (position < sizeBytes) {
            String problem = check(file, position, sizeBytes, baseOffset, nextOffset, epoch, gapsAllowed);
            if (problem != null) {
                boolean isRest = isPadding(file, position, sizeBytes)
                        || isFilled(file, position, sizeBytes, baseOffset, nextOffset);
                return new Result(position, batches, nextOffset, isRest ? null : problem);
            }
            visitor.batch(header, position);
            batches++;
            nextOffset = header.lastOffset() + 1;
            epoch = header.leaderEpoch();
            position += (int) header.batchLengthBytes();
        }
        return new Result(position, batches, nextOffset, null);
    }

    private boolean isPadding(Descriptor file, int position, int sizeBytes) throws ErrnoException {
        int length = sizeBytes - position;
        return rest != Rest.NOTHING
                && position != 0
                && sizeBytes % Staging.BLOCK_BYTES == 0
                && length < Staging.BLOCK_BYTES
                && isZero(file, position, length, sizeBytes);
    }

    private boolean isFilled(Descriptor file, int position, int sizeBytes, long baseOffset, long nextOffset)
            throws ErrnoException {
        return rest == Rest.FILLED
                && sizeBytes % Staging.BLOCK_BYTES == 0
                && hasNoLength(file, position, sizeBytes, nextOffset)
                && findBatch(file, position + 1, sizeBytes, baseOffset, nextOffset) < 0;
    }

    /// The offset is stored right before the length: who dies between the two leaves it.
    private boolean hasNoLength(Descriptor file, int position, int sizeBytes, long nextOffset) throws ErrnoException {
        int length = Math.min(sizeBytes - position, MappedSegmentWriter.LENGTH_ENDS_AT);
        if (isZero(file, position, length, sizeBytes)) {
            return true;
        }
        int lengthAt = MappedSegmentWriter.LENGTH_ENDS_AT - Integer.BYTES;
        return length == MappedSegmentWriter.LENGTH_ENDS_AT
                && available(file, position, length, sizeBytes)
                && piece.get(OFFSET, position - pieceStart) == nextOffset
                && isZero(file, position + lengthAt, Integer.BYTES, sizeBytes);
    }

    private boolean isZero(Descriptor file, int position, int length, int sizeBytes) throws ErrnoException {
        if (!available(file, position, length, sizeBytes)) {
            return false;
        }
        for (int i = 0; i < length; i++) {
            if (piece.get(ValueLayout.JAVA_BYTE, position - pieceStart + i) != 0) {
                return false;
            }
        }
        return true;
    }

    /// Whether the file that was scanned last ends within a write: in a batch whose header is right as far as it is
    /// there, and nothing whole behind. So a process leaves it that dies while it writes, and of what it wrote
    /// before nothing is missing. Bytes that a device has lost are there, as zeros or older ones; but where files
    /// are filled ahead, zeros from a page's start on to the file's end are what that write had not come to.
    boolean endsWithinAWrite(Descriptor file, Result result, int sizeBytes, long baseOffset) throws ErrnoException {
        int position = result.validBytes();
        int left = (rest == Rest.FILLED ? writtenEnd(file, position, sizeBytes) : sizeBytes) - position;
        if (left >= BatchView.HEADER_BYTES) {
            if (!available(file, position, BatchView.HEADER_BYTES, sizeBytes)) {
                return false;
            }
            MemorySegment.copy(piece, position - pieceStart, headerMemory, 0, BatchView.HEADER_BYTES);
            if (header.batchLengthBytes() <= left
                    || header.magic() != BatchView.MAGIC
                    || header.baseOffset() != result.endOffset()) {
                return false;
            }
        }
        return findBatch(file, position + 1, sizeBytes, baseOffset, result.endOffset()) < 0;
    }

    /// The end of the last page that is not zero.
    private int writtenEnd(Descriptor file, int position, int sizeBytes) throws ErrnoException {
        int end = sizeBytes;
        while (end > position) {
            int from = (int) Math.max(position, end - piece.byteSize());
            if (!available(file, from, end - from, sizeBytes)) {
                return sizeBytes;
            }
            while (end > from && piece.get(ValueLayout.JAVA_BYTE, end - 1 - pieceStart) == 0) {
                end--;
            }
            if (end > from) {
                long pages = ((long) end + Staging.BLOCK_BYTES - 1) / Staging.BLOCK_BYTES;
                return (int) Math.min(sizeBytes, pages * Staging.BLOCK_BYTES);
            }
        }
        return position;
    }

    /// Where behind a damage whole batches begin again, in the file that was scanned last, or −1: the first bytes
    /// from `from` on that are a batch, checksum and all, whose base offset is at least `nextOffset`.
    int findBatch(Descriptor file, int from, int sizeBytes, long baseOffset, long nextOffset) throws ErrnoException {
        for (int position = from; position <= sizeBytes - BatchView.HEADER_BYTES; position++) {
            if (!available(file, position, BatchView.HEADER_BYTES, sizeBytes)) {
                return -1;
            }
            boolean mayBe =
                    piece.get(ValueLayout.JAVA_BYTE, position - pieceStart + BatchView.MAGIC_AT) == BatchView.MAGIC;
            if (mayBe && check(file, position, sizeBytes, baseOffset, nextOffset, LeaderEpochs.NONE, true) == null) {
                return position;
            }
        }
        return -1;
    }

    /// The base offset of the batch that [#findBatch] has found.
    long foundOffset() {
        return header.baseOffset();
    }

    /// What keeps the bytes at `position` from being the next batch, or null.
    private @Nullable String check(
            Descriptor file,
            int position,
            int sizeBytes,
            long baseOffset,
            long nextOffset,
            int epoch,
            boolean gapsAllowed)
            throws ErrnoException {
        int left = sizeBytes - position;
        if (left < BatchView.HEADER_BYTES) {
            return "the file ends after " + left + " bytes of a batch's header";
        }
        if (!available(file, position, BatchView.HEADER_BYTES, sizeBytes)) {
            return "the file ends within a batch's header";
        }
        MemorySegment.copy(piece, position - pieceStart, headerMemory, 0, BatchView.HEADER_BYTES);
        long length = header.batchLengthBytes();
        if (length < BatchView.HEADER_BYTES) {
            return "a batch length of " + length;
        }
        if (length > left) {
            return "a batch of " + length + " bytes, of which " + left + " are there";
        }
        if (header.magic() != BatchView.MAGIC) {
            return "magic " + header.magic() + " instead of 2";
        }
        long base = header.baseOffset();
        if (gapsAllowed ? base < nextOffset : base != nextOffset) {
            return "base offset " + base + " where " + nextOffset + (gapsAllowed ? " or more" : "") + " has to follow";
        }
        int delta = header.lastOffsetDelta();
        if (delta < 0 || base + delta - baseOffset > Integer.MAX_VALUE) {
            return "a last offset delta of " + delta;
        }
        int count = header.count();
        if (gapsAllowed ? count < 0 || count - 1L > delta : count - 1L != delta && !FillerBatch.is(header)) {
            return "a count of " + count + " with a last offset delta of " + delta;
        }
        if (header.leaderEpoch() < epoch) {
            return "leader epoch " + header.leaderEpoch() + " behind epoch " + epoch;
        }
        return checkCrc(file, position, (int) length, sizeBytes);
    }

    private @Nullable String checkCrc(Descriptor file, int position, int length, int sizeBytes) throws ErrnoException {
        crc.reset();
        int end = position + length;
        int at = position + BatchView.CRC_STARTS_AT;
        while (at < end) {
            if (!available(file, at, 1, sizeBytes)) {
                return "the file ends within a batch";
            }
            int run = (int) Math.min(end, pieceEnd) - at;
            int from = (int) (at - pieceStart);
            crc.update(pieceView.limit(from + run).position(from));
            at += run;
        }
        int computed = (int) crc.getValue();
        return computed == header.crc()
                ? null
                : "CRC " + Integer.toHexString(header.crc()) + " where the bytes have " + Integer.toHexString(computed);
    }

    /// Makes sure that `length` bytes from `position` are in the piece.
    ///
    /// @return false when the file ends before
    private boolean available(Descriptor file, long position, int length, int sizeBytes) throws ErrnoException {
        if (position >= pieceStart && position + length <= pieceEnd) {
            return true;
        }
        long wanted = Math.min(piece.byteSize(), sizeBytes - position);
        long read = kernel.files().preadFully(file, piece.asSlice(0, wanted), position);
        ErrnoException.check(read, Call.PREAD, file.name());
        bytesRead += read;
        pieceStart = position;
        pieceEnd = position + read;
        return read >= length;
    }

    @Override
    public void close() {
        arena.close();
    }
}
