package dev.sluice.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/// Cuts a stream of bytes into records at a delimiter, without decoding them: what comes in between two delimiters is a
/// record, be it empty. Bytes after the last delimiter are one more record, nothing after it is none.
///
/// ```
///   buffer   |…given out…|  record  |d|  not yet looked at   |  room  |
///                        start      │ ▲scanned              filled
///                                   └ start + length
/// ```
///
/// The result does not depend on how the stream cuts its reads. The buffer starts at one size and doubles for a record
/// that does not fit, up to the longest record allowed. The caller owns the stream and closes it. Used by one thread.
final class RecordReader {
    private final InputStream in;
    private final byte[] delimiter;
    private final int maxRecordBytes;

    private byte[] buffer;
    /// First byte of the record given out last.
    private int start;
    private int length;
    /// First byte behind that record and its delimiter: the next record begins here.
    private int next;
    /// Bytes of the buffer that hold input.
    private int filled;
    private boolean ended;

    /// @param delimiter      at least one byte
    /// @param bufferBytes    how much is asked of the stream at once; at least one byte
    /// @param maxRecordBytes a longer record is refused, so that input without delimiters can't eat the memory
    RecordReader(InputStream in, byte[] delimiter, int bufferBytes, int maxRecordBytes) {
        if (delimiter.length == 0 || bufferBytes < 1) {
            throw new IllegalArgumentException("an empty delimiter or buffer");
        }
        this.in = in;
        this.delimiter = delimiter.clone();
        this.maxRecordBytes = maxRecordBytes;
        this.buffer = new byte[bufferBytes];
    }

    /// Moves to the next record. Reads from the stream only when the buffer holds no whole record, so that a line
    /// typed or piped is given out as soon as it is there.
    ///
    /// @return false at the end of the stream
    /// @throws RecordTooLongException when more than the longest allowed record came without a delimiter
    /// @throws IOException            what the stream threw
    boolean next() throws IOException {
        start = next;
        int scanned = start;
        while (true) {
            int end = find(scanned);
            if (end >= 0) {
                length = end - start;
                next = end + delimiter.length;
                return checked();
            }
            if (ended) {
                length = filled - start;
                next = filled;
                return length > 0 && checked();
            }
            // A delimiter may begin in the last bytes and end in those still to come.
            scanned = Math.max(start, filled - (delimiter.length - 1));
            if (filled - start > maxRecordBytes + delimiter.length) {
                throw new RecordTooLongException(maxRecordBytes);
            }
            scanned -= makeRoom();
            int count = in.read(buffer, filled, buffer.length - filled);
            if (count < 0) {
                ended = true;
            } else {
                filled += count;
            }
        }
    }

    /// The array that holds the record from [#start] on; valid until the next call of [#next].
    byte[] array() {
        return buffer;
    }

    int start() {
        return start;
    }

    int length() {
        return length;
    }

    private boolean checked() throws RecordTooLongException {
        if (length > maxRecordBytes) {
            throw new RecordTooLongException(maxRecordBytes);
        }
        return true;
    }

    /// Where the next delimiter begins, looking from `from` on, or -1. The inner loop is what a GiB of input
    /// passes, at about 2 GB/s; sending a record costs many times that.
    private int find(int from) {
        byte[] bytes = buffer;
        byte first = delimiter[0];
        int last = filled - delimiter.length;
        for (int at = from; at <= last; at++) {
            if (bytes[at] == first && isDelimiter(at)) {
                return at;
            }
        }
        return -1;
    }

    private boolean isDelimiter(int at) {
        return delimiter.length == 1
                || Arrays.equals(buffer, at, at + delimiter.length, delimiter, 0, delimiter.length);
    }

    /// Makes sure that the buffer can take at least one byte more: the record in progress moves to the front, and
    /// if it fills the buffer by itself, the buffer doubles.
    ///
    /// @return by how much the bytes moved to the front
    private int makeRoom() {
        if (filled < buffer.length) {
            return 0;
        }
        int moved = start;
        int kept = filled - start;
        // Moving costs a copy: where more than half of the buffer would move, a bigger one is cheaper in the long run.
        byte[] target = kept > buffer.length / 2
                ? new byte[Math.toIntExact(Math.min(Integer.MAX_VALUE - 8L, 2L * buffer.length))]
                : buffer;
        System.arraycopy(buffer, start, target, 0, kept);
        buffer = target;
        start = 0;
        filled = kept;
        return moved;
    }

    /// The input has a stretch without a delimiter that is longer than any record may be.
    static final class RecordTooLongException extends IOException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        RecordTooLongException(int maxRecordBytes) {
            super("more than " + HumanFormat.bytes(maxRecordBytes) + " without a delimiter");
        }
    }
}
