package dev.sluice.io.seal;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// A second reader of sealed streams, written from docs/formats/sealed-stream.md alone: its AES-GCM is OpenSSL's
/// (libcrypto.so.3), its HKDF is two HMACs by hand.
final class OpenSsl {
    private static final int SET_TAG = 0x11; // EVP_CTRL_AEAD_SET_TAG of openssl/evp.h

    private final MethodHandle newContext;
    private final MethodHandle freeContext;
    private final MethodHandle aes256gcm;
    private final MethodHandle init;
    private final MethodHandle update;
    private final MethodHandle control;
    private final MethodHandle finish;

    private OpenSsl(SymbolLookup library) {
        Linker linker = Linker.nativeLinker();
        var pointer = ValueLayout.ADDRESS;
        var number = ValueLayout.JAVA_INT;
        newContext = linker.downcallHandle(library.findOrThrow("EVP_CIPHER_CTX_new"), FunctionDescriptor.of(pointer));
        freeContext =
                linker.downcallHandle(library.findOrThrow("EVP_CIPHER_CTX_free"), FunctionDescriptor.ofVoid(pointer));
        aes256gcm = linker.downcallHandle(library.findOrThrow("EVP_aes_256_gcm"), FunctionDescriptor.of(pointer));
        init = linker.downcallHandle(
                library.findOrThrow("EVP_DecryptInit_ex"),
                FunctionDescriptor.of(number, pointer, pointer, pointer, pointer, pointer));
        update = linker.downcallHandle(
                library.findOrThrow("EVP_DecryptUpdate"),
                FunctionDescriptor.of(number, pointer, pointer, pointer, pointer, number));
        control = linker.downcallHandle(
                library.findOrThrow("EVP_CIPHER_CTX_ctrl"),
                FunctionDescriptor.of(number, pointer, number, number, pointer));
        finish = linker.downcallHandle(
                library.findOrThrow("EVP_DecryptFinal_ex"), FunctionDescriptor.of(number, pointer, pointer, pointer));
    }

    /// OpenSSL 3, where it is installed.
    static Optional<OpenSsl> find() {
        try {
            return Optional.of(new OpenSsl(SymbolLookup.libraryLookup("libcrypto.so.3", Arena.global())));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /// Opens a whole stream.
    ///
    /// @throws IllegalStateException when a tag doesn't fit
    byte[] open(byte[] sealed, byte[] key) throws Throwable {
        ByteBuffer stream = ByteBuffer.wrap(sealed);
        byte[] header = new byte[44];
        stream.get(header);
        int segmentBytes = ByteBuffer.wrap(header).getInt(8);
        byte[] salt = new byte[32];
        System.arraycopy(header, 12, salt, 0, 32);
        byte[] info = "sluice sealed stream 1\u0001".getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
        byte[] streamKey = hmac(hmac(salt, key), info); // RFC 5869: extract, then one block of expand
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        int number = 0;
        while (stream.hasRemaining()) {
            int length = Math.min(segmentBytes, stream.remaining() - 16);
            byte[] ciphertext = new byte[length];
            byte[] tag = new byte[16];
            stream.get(ciphertext).get(tag);
            ByteBuffer nonce = ByteBuffer.allocate(12);
            nonce.putInt(7, number++).put(11, (byte) (stream.hasRemaining() ? 0 : 1));
            plain.write(decrypt(streamKey, nonce.array(), header, ciphertext, tag));
        }
        return plain.toByteArray();
    }

    private static byte[] hmac(byte[] key, byte[] data) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(data);
    }

    private byte[] decrypt(byte[] key, byte[] nonce, byte[] aad, byte[] ciphertext, byte[] tag) throws Throwable {
        MemorySegment context = (MemorySegment) newContext.invokeExact();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment none = MemorySegment.NULL;
            MemorySegment count = arena.allocate(4);
            MemorySegment plain = arena.allocate(ciphertext.length + 16L);
            check((int) init.invokeExact(
                    context, (MemorySegment) aes256gcm.invokeExact(), none, bytes(arena, key), bytes(arena, nonce)));
            check((int) update.invokeExact(context, none, count, bytes(arena, aad), aad.length));
            check((int) update.invokeExact(context, plain, count, bytes(arena, ciphertext), ciphertext.length));
            check((int) control.invokeExact(context, SET_TAG, 16, bytes(arena, tag)));
            check((int) finish.invokeExact(context, plain.asSlice(ciphertext.length), count));
            return plain.asSlice(0, ciphertext.length).toArray(ValueLayout.JAVA_BYTE);
        } finally {
            freeContext.invokeExact(context);
        }
    }

    private static MemorySegment bytes(Arena arena, byte[] bytes) {
        MemorySegment native_ = arena.allocate(Math.max(1, bytes.length));
        MemorySegment.copy(bytes, 0, native_, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return native_;
    }

    private static void check(int result) {
        if (result != 1) {
            throw new IllegalStateException("OpenSSL says no");
        }
    }
}
