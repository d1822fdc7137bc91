package dev.sluice.io.seal;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.seal.SealException.Reason;
import dev.sluice.io.transfer.Cancellation;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.function.LongConsumer;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/// A transfer that the program changes on its way, which sendfile can't be: read, encrypt with AES-256-GCM, write, in
/// one pass over each byte and in buffers that are used again.
///
/// The stream is cut into segments, each with a tag of its own ([SealFormat]), so that opening it never holds more than
/// one, hands out nothing that wasn't verified, and notices a segment that was changed, moved, repeated or left out,
/// and a stream that was cut short. Each stream has a key of its own, derived from the given key and 32 random bytes;
/// within it a nonce is the segment's number, so none is ever used twice.
///
/// | copies of a byte, file to socket | by |
/// |---|---|
/// | page cache → buffer | pread |
/// | buffer → array, encrypt, array → buffer | Java: AES-GCM on arrays, 64 KiB at a time, in the second-level cache. On
/// direct buffers the JDK's cipher takes smaller pieces through arrays of its own, at 1.7–3.0 GB/s where this way makes
/// 5.4–7.8 (JDK 25.0.3, AES-NI) |
/// | buffer → socket | send |
///
/// Owned by one thread, which may keep it for many streams. The ends are borrowed.
public final class Sealer implements AutoCloseable {
    /// Large enough that a call and a tag a segment cost little, small enough to stay in the second-level cache.
    public static final int DEFAULT_SEGMENT_BYTES = 64 << 10;

    /// The length of a key, AES-256: 32 bytes, best from a file of random ones.
    public static final int KEY_BYTES = SealFormat.KEY_BYTES;

    private final Kernel kernel;
    private final byte[] key;
    private final SecureRandom random;
    private final Cipher cipher;

    /// A segment as it is on the wire, and a byte of the next, in native memory and as an array.
    private Mapping buffer;

    private byte[] in = new byte[0];
    private byte[] out = new byte[0];
    private @Nullable Cancellation cancellation;
    private LongConsumer listener = _ -> {};

    /// @param key    32 bytes, copied; whoever has them can read and forge streams
    /// @param random for the salts: `new SecureRandom()` but in tests
    public Sealer(Kernel kernel, byte[] key, SecureRandom random) throws ErrnoException {
        if (key.length != KEY_BYTES) {
            throw new IllegalArgumentException("A key has " + KEY_BYTES + " bytes, not " + key.length);
        }
        this.kernel = kernel;
        this.key = key.clone();
        this.random = random;
        try {
            this.cipher = Cipher.getInstance("AES/GCM/NoPadding");
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This JDK has no AES-GCM", e); // every JDK has
        }
        this.buffer = Mapping.reserve(kernel, bufferBytes(DEFAULT_SEGMENT_BYTES));
    }

    private static long bufferBytes(int segmentBytes) {
        return Polls.SCRATCH_BYTES + segmentBytes + SealFormat.TAG_BYTES + 1L;
    }

    /// From now on streams stop, with a CancellationException, soon after this is cancelled.
    public Sealer cancelledBy(Cancellation newCancellation) {
        cancellation = newCancellation;
        return this;
    }

    /// From now on told after each segment how many plaintext bytes the stream has delivered.
    public Sealer toldTo(LongConsumer newListener) {
        listener = newListener;
        return this;
    }

    /// Length of a sealed stream.
    public static long sealedBytes(long lengthBytes, int segmentBytes) {
        long segments = Math.max(1, (lengthBytes + segmentBytes - 1) / segmentBytes);
        return SealFormat.HEADER_BYTES + lengthBytes + segments * SealFormat.TAG_BYTES;
    }

    /// Encrypts what the source gives until it ends.
    ///
    /// @return plaintext bytes
    /// @throws ErrnoException when an end fails; the sink then holds a stream that [#open] finds truncated
    public long seal(Endpoint source, Endpoint sink) throws ErrnoException {
        return seal(source, sink, Transfer.UNTIL_END, DEFAULT_SEGMENT_BYTES);
    }

    /// Encrypts a part of what the source gives.
    ///
    /// @param lengthBytes  at most, or [Transfer#UNTIL_END]
    /// @param segmentBytes 16 bytes to 16 MiB
    /// @return plaintext bytes: fewer than `lengthBytes` when the source ended before
    public long seal(Endpoint source, Endpoint sink, long lengthBytes, int segmentBytes) throws ErrnoException {
        if (segmentBytes < SealFormat.LEAST_SEGMENT_BYTES || segmentBytes > SealFormat.MOST_SEGMENT_BYTES) {
            throw new IllegalArgumentException("segmentBytes must be 16 to 16777216, not " + segmentBytes);
        }
        MemorySegment bytes = prepare(segmentBytes);
        Ends ends = ends(source, sink, lengthBytes);
        byte[] salt = new byte[SealFormat.SALT_BYTES];
        random.nextBytes(salt);
        byte[] header = SealFormat.header(segmentBytes, salt);
        MemorySegment.copy(MemorySegment.ofArray(header), 0, bytes, 0, header.length);
        ends.writeFully(bytes.asSlice(0, header.length));
        try {
            SecretKey streamKey = SealFormat.streamKey(key, header);
            // A byte more than a segment is read: only who sees that more follows knows which one is the last.
            long held = ends.readFully(bytes.asSlice(0, segmentBytes + 1L));
            long done = 0;
            for (long number = 0; ; number++) {
                boolean isLast = held <= segmentBytes;
                int length = (int) Math.min(held, segmentBytes);
                MemorySegment.copy(bytes, 0, MemorySegment.ofArray(in), 0, held);
                cipher.init(Cipher.ENCRYPT_MODE, streamKey, parameters(number, isLast));
                cipher.updateAAD(header);
                int sealed = cipher.doFinal(in, 0, length, out, 0);
                done += length;
                deliver(ends, bytes, sealed, done);
                if (isLast) {
                    return done;
                }
                held = next(ends, bytes, segmentBytes);
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM refused to encrypt", e); // no input makes it
        } finally {
            wipe();
        }
    }

    /// Decrypts a sealed stream, which must fill the source to its end.
    ///
    /// @return plaintext bytes, all verified
    /// @throws SealException  when the stream isn't a whole one sealed with this key
    /// @throws ErrnoException when an end fails
    public long open(Endpoint sealed, Endpoint sink) throws IOException {
        byte[] header = new byte[SealFormat.HEADER_BYTES];
        MemorySegment bytes = prepare(DEFAULT_SEGMENT_BYTES);
        Ends ends = ends(sealed, sink, Long.MAX_VALUE);
        long had = ends.readFully(bytes.asSlice(0, header.length));
        MemorySegment.copy(bytes, 0, MemorySegment.ofArray(header), 0, header.length);
        int segmentBytes = had < header.length ? -1 : SealFormat.segmentBytes(header);
        if (segmentBytes < 0) {
            throw new SealException(
                    Reason.NOT_SEALED, 0, sealed.name() + " is no sealed stream: it doesn't begin as one");
        }
        bytes = prepare(segmentBytes);
        ends = ends.continuing(scratch());
        int wireBytes = segmentBytes + SealFormat.TAG_BYTES;
        try {
            SecretKey streamKey = SealFormat.streamKey(key, header);
            long held = ends.readFully(bytes.asSlice(0, wireBytes + 1L));
            long done = 0;
            for (long number = 0; ; number++) {
                boolean isLast = held <= wireBytes;
                int length = (int) Math.min(held, wireBytes);
                if (length < SealFormat.TAG_BYTES) {
                    throw truncated(sealed, done);
                }
                MemorySegment.copy(bytes, 0, MemorySegment.ofArray(in), 0, held);
                int opened = open(streamKey, header, number, isLast, length, sealed, done);
                done += opened;
                deliver(ends, bytes, opened, done);
                if (isLast) {
                    return done;
                }
                held = next(ends, bytes, wireBytes);
            }
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM refused to decrypt", e); // a bad tag is told below
        } finally {
            wipe();
        }
    }

    /// Decrypts what `in` holds into `out`.
    private int open(
            SecretKey streamKey, byte[] header, long number, boolean isLast, int length, Endpoint sealed, long done)
            throws GeneralSecurityException, SealException {
        try {
            return decrypt(streamKey, header, number, isLast, length);
        } catch (AEADBadTagException e) {
            // The end came where a segment that isn't the last one ends well: then it was cut off there.
            if (isLast && isAuthentic(streamKey, header, number, length)) {
                throw truncated(sealed, done);
            }
            throw new SealException(
                    Reason.NOT_AUTHENTIC,
                    done,
                    sealed.name() + ": segment " + number + ", behind " + done
                            + " good bytes, is not what was sealed with this key; the key is another one, or the stream was changed");
        }
    }

    private int decrypt(SecretKey streamKey, byte[] header, long number, boolean isLast, int length)
            throws GeneralSecurityException {
        cipher.init(Cipher.DECRYPT_MODE, streamKey, parameters(number, isLast));
        cipher.updateAAD(header);
        return cipher.doFinal(in, 0, length, out, 0);
    }

    private boolean isAuthentic(SecretKey streamKey, byte[] header, long number, int length)
            throws GeneralSecurityException {
        try {
            return decrypt(streamKey, header, number, false, length) >= 0;
        } catch (AEADBadTagException _) {
            return false;
        }
    }

    private static SealException truncated(Endpoint sealed, long done) {
        return new SealException(
                Reason.TRUNCATED,
                done,
                sealed.name() + " ends before its last segment, behind " + done + " good bytes: it was cut short");
    }

    /// Writes what the cipher left in `out`, and tells how much is done by it.
    private void deliver(Ends ends, MemorySegment bytes, int length, long done) throws ErrnoException {
        MemorySegment.copy(MemorySegment.ofArray(out), 0, bytes, 0, length);
        ends.writeFully(bytes.asSlice(0, length));
        listener.accept(done);
    }

    /// Reads on behind the byte that was read too much, which is still in `in`.
    ///
    /// @return bytes in `bytes` now: up to one more than a segment has
    private long next(Ends ends, MemorySegment bytes, int segmentBytes) throws ErrnoException {
        bytes.set(ValueLayout.JAVA_BYTE, 0, in[segmentBytes]);
        return 1 + ends.readFully(bytes.asSlice(1, segmentBytes));
    }

    private static GCMParameterSpec parameters(long number, boolean isLast) {
        return new GCMParameterSpec(SealFormat.TAG_BYTES * Byte.SIZE, SealFormat.nonce(number, isLast));
    }

    /// Buffers for segments of that length: a segment, its tag and a byte of the next one.
    private MemorySegment prepare(int segmentBytes) throws ErrnoException {
        long wanted = bufferBytes(segmentBytes);
        if (buffer.segment().byteSize() < wanted) {
            Mapping larger = Mapping.reserve(kernel, wanted);
            buffer.close();
            buffer = larger;
        }
        int arrayBytes = segmentBytes + SealFormat.TAG_BYTES + 1;
        if (in.length < arrayBytes) {
            in = new byte[arrayBytes];
            out = new byte[arrayBytes];
        }
        return buffer.segment().asSlice(Polls.SCRATCH_BYTES);
    }

    private MemorySegment scratch() {
        return buffer.segment().asSlice(0, Polls.SCRATCH_BYTES);
    }

    private Ends ends(Endpoint source, Endpoint sink, long mostBytes) {
        return new Ends(kernel, source, sink, cancellation, scratch(), mostBytes);
    }

    /// Plaintext doesn't stay behind in memory that is used for something else next.
    private void wipe() {
        Arrays.fill(in, (byte) 0);
        Arrays.fill(out, (byte) 0);
        buffer.segment().fill((byte) 0);
    }

    /// Frees the buffers and forgets the key.
    @Override
    public void close() {
        wipe();
        Arrays.fill(key, (byte) 0);
        buffer.close();
    }
}
