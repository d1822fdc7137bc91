package dev.sluice.cli;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import java.io.IOException;
import java.io.Serial;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.locks.LockSupport;

/// Standard output for bytes: collects them in one native buffer and hands them to write(2) when it is full or when
/// told so. Through the library's own calls, because only an errno tells a reader that had enough (EPIPE) from a full
/// disk.
///
/// Used by one thread. Owns the buffer, not the descriptor.
final class RecordOutput implements AutoCloseable {
    private static final long BLOCKED_RETRY_NS = 1_000_000;

    private final Files files;
    private final Descriptor descriptor;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment buffer;
    private long filled;

    RecordOutput(Files files, Descriptor descriptor, int bufferBytes) {
        this.files = files;
        this.descriptor = descriptor;
        this.buffer = arena.allocate(bufferBytes);
    }

    void put(byte[] bytes) throws IOException {
        put(MemorySegment.ofArray(bytes));
    }

    /// A number in decimal digits.
    void put(long number) throws IOException {
        byte[] digits = Long.toString(number).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        put(digits);
    }

    void put(MemorySegment source) throws IOException {
        long taken = 0;
        long length = source.byteSize();
        while (taken < length) {
            if (filled == buffer.byteSize()) {
                flush();
            }
            long piece = Math.min(length - taken, buffer.byteSize() - filled);
            MemorySegment.copy(source, ValueLayout.JAVA_BYTE, taken, buffer, ValueLayout.JAVA_BYTE, filled, piece);
            filled += piece;
            taken += piece;
        }
    }

    /// Writes what was collected.
    ///
    /// @throws ReaderGoneException when nobody reads the other end any more
    /// @throws ErrnoException      when the output can't take it: a full disk, an I/O error
    void flush() throws IOException {
        long written = 0;
        while (written < filled) {
            long result = files.write(descriptor, buffer.asSlice(written, filled - written));
            if (result >= 0) {
                written += result;
            } else if (result == -Errno.EPIPE) {
                throw new ReaderGoneException();
            } else if (result == -Errno.EAGAIN) {
                // Whoever handed us this pipe made it non-blocking, for itself too: changing that is not for us to do.
                LockSupport.parkNanos(BLOCKED_RETRY_NS);
            } else if (result != -Errno.EINTR) {
                throw new ErrnoException(Call.WRITE, (int) -result, descriptor.name());
            }
        }
        filled = 0;
    }

    /// Frees the buffer. What was not flushed is lost.
    @Override
    public void close() {
        arena.close();
    }

    /// The reader of the output closed it, as `head` does: no failure, but nothing is left to do.
    static final class ReaderGoneException extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;
    }
}
