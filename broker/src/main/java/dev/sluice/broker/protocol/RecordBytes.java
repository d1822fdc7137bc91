package dev.sluice.broker.protocol;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serial;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// The records of a batch, decompressed, read from the first byte to the last, and on the way copied to where they are
/// compressed anew, if anywhere. Holds one chunk of them, whatever lengths they claim.
///
/// Reused; used by one thread.
final class RecordBytes {
    /// Thrown when there are more bytes than are taken.
    static final class TooLongException extends IOException {
        @Serial
        private static final long serialVersionUID = 1L;

        TooLongException(String message) {
            super(message);
        }
    }

    private final byte[] chunk;
    private final long mostBytes;
    private InputStream in = InputStream.nullInputStream();
    private @Nullable OutputStream out;
    private BooleanSupplier fits = () -> true;
    private int at;
    private int end;
    private long before;

    /// @param mostBytes that a batch may have
    RecordBytes(int chunkBytes, long mostBytes) {
        this.chunk = new byte[chunkBytes];
        this.mostBytes = mostBytes;
    }

    /// @param newOut  gets all that is read; null for nobody
    /// @param newFits whether what was written there is not too much yet
    void begin(InputStream newIn, @Nullable OutputStream newOut, BooleanSupplier newFits) {
        in = newIn;
        out = newOut;
        fits = newFits;
        at = 0;
        end = 0;
        before = 0;
    }

    /// Lets go of the streams.
    void end() {
        in = InputStream.nullInputStream();
        out = null;
    }

    long position() {
        return before + at;
    }

    boolean isAtEnd() throws IOException {
        return at == end && !fill();
    }

    /// @throws EOFException     when there are none
    /// @throws TooLongException when there are too many
    void skip(long count) throws IOException {
        long left = count;
        while (left > end - at) {
            left -= end - at;
            at = end;
            require();
        }
        at += (int) Math.max(left, 0);
    }

    /// A zigzag varint of at most 64 bits.
    long readVarlong() throws IOException {
        long zigzag = 0;
        for (int shift = 0; shift < 70; shift += 7) {
            if (at == end) {
                require();
            }
            byte next = chunk[at++];
            zigzag |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return zigzag >>> 1 ^ -(zigzag & 1);
            }
        }
        throw new IOException("a varint of more than 64 bits");
    }

    private void require() throws IOException {
        if (!fill()) {
            throw new EOFException("they end too early");
        }
    }

    private boolean fill() throws IOException {
        int read = in.read(chunk, 0, chunk.length);
        if (read <= 0) {
            return false;
        }
        before += end;
        at = 0;
        end = read;
        if (before + end > mostBytes) {
            throw new TooLongException("the records of the batch, decompressed, have more than " + mostBytes
                    + " bytes, which is socket.request.max.bytes");
        }
        if (out != null) {
            out.write(chunk, 0, read);
            if (!fits.getAsBoolean()) {
                throw new TooLongException(
                        "the record batch, compressed as the topic asks for, is larger than max.message.bytes");
            }
        }
        return true;
    }
}
