package dev.sluice.io.seal;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.KDF;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/// The sealed stream's layout; `docs/formats/sealed-stream.md` draws it.
///
/// ```
/// header   0 magic "SLUICES1"   8 u32 segment length (plaintext)   12 salt, 32 random bytes              44 bytes
/// segment  ciphertext, as long as its plaintext · tag, 16 bytes                     each full but the last one
/// key      HKDF-SHA256(given key, salt, "sluice sealed stream 1"), 32 bytes: each stream has its own
/// nonce    7 zeros · u32 number of the segment · 1 for the last, else 0                                  12 bytes
/// AAD      the header
/// ```
final class SealFormat {
    static final int HEADER_BYTES = 44;
    static final int TAG_BYTES = 16;
    static final int KEY_BYTES = 32;
    static final int LEAST_SEGMENT_BYTES = 16;
    static final int MOST_SEGMENT_BYTES = 16 << 20;
    static final int SALT_BYTES = 32;

    /// The number of a segment is 32 bits of its nonce; a stream with more would repeat one.
    static final long MOST_SEGMENTS = 1L << 32;

    private static final byte[] MAGIC = {'S', 'L', 'U', 'I', 'C', 'E', 'S', '1'};
    private static final byte[] INFO = "sluice sealed stream 1".getBytes(java.nio.charset.StandardCharsets.US_ASCII);
    private static final int NONCE_BYTES = 12;
    private static final int NUMBER_AT = 7;

    private SealFormat() {}

    static byte[] header(int segmentBytes, byte[] salt) {
        return ByteBuffer.allocate(HEADER_BYTES)
                .put(MAGIC)
                .putInt(segmentBytes)
                .put(salt)
                .array();
    }

    /// The segment length that a header names, or -1 if it isn't one.
    static int segmentBytes(byte[] header) {
        if (header.length != HEADER_BYTES || !Arrays.equals(header, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            return -1;
        }
        int segmentBytes = ByteBuffer.wrap(header).getInt(MAGIC.length);
        return segmentBytes < LEAST_SEGMENT_BYTES || segmentBytes > MOST_SEGMENT_BYTES ? -1 : segmentBytes;
    }

    static SecretKey streamKey(byte[] key, byte[] header) throws GeneralSecurityException {
        byte[] salt = Arrays.copyOfRange(header, HEADER_BYTES - SALT_BYTES, HEADER_BYTES);
        HKDFParameterSpec parameters = HKDFParameterSpec.ofExtract()
                .addIKM(new SecretKeySpec(key, "HKDF"))
                .addSalt(salt)
                .thenExpand(INFO, KEY_BYTES);
        return KDF.getInstance("HKDF-SHA256").deriveKey("AES", parameters);
    }

    static byte[] nonce(long number, boolean isLast) {
        if (number >= MOST_SEGMENTS) {
            throw new IllegalStateException("A stream has at most " + MOST_SEGMENTS + " segments; use longer ones");
        }
        byte[] nonce = new byte[NONCE_BYTES];
        ByteBuffer.wrap(nonce).putInt(NUMBER_AT, (int) number);
        nonce[NONCE_BYTES - 1] = (byte) (isLast ? 1 : 0);
        return nonce;
    }
}
