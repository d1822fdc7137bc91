package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// TLS records made and opened by the kernel: setsockopt(2) with TCP_ULP and SOL_TLS
/// (Documentation/networking/tls.rst). Once a socket sends so, sendfile and splice encrypt what they send. The
/// handshake isn't the kernel's: whoever makes it hands over the keys. Results are values ≥ 0 or −errno.
public final class KernelTls {
    // linux/tcp.h, linux/tls.h
    static final int TCP_ULP = 31;
    static final int SOL_TLS = 282;
    static final int TLS_TX = 1;
    static final int TLS_RX = 2;
    private static final short TLS_1_3 = 0x0304;
    private static final short AES_GCM_256 = 52;

    /// The key of AES-256.
    public static final int KEY_BYTES = 32;
    /// What the numbers of records are mixed into, RFC 8446, 5.3.
    public static final int NONCE_BYTES = 12;

    /// struct tls12_crypto_info_aes_gcm_256: u16 version, u16 cipher, 8 bytes iv, 32 key, 4 salt, 8 record
    /// sequence. The nonce of TLS 1.3 is salt, then iv.
    private static final long INFO_BYTES = 56;

    private static final int SALT_BYTES = 4;

    private final Kernel kernel;

    KernelTls(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Puts the kernel's TLS on a connected TCP socket, which sends and receives as before until keys are given.
    ///
    /// @return 0; −ENOENT when the kernel has no TLS (module `tls`); −ENOTCONN when it has, but the socket isn't
    ///     connected, so that any fresh socket serves as a probe; or another −errno
    public long attach(Descriptor socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name =
                    arena.allocateFrom("tls", StandardCharsets.US_ASCII).asSlice(0, 3); // without its zero
            return kernel.sockets().setOption(socket, Sockets.IPPROTO_TCP, TCP_ULP, name);
        }
    }

    /// Has the kernel encrypt what is sent from now on, by TLS 1.3 with AES-256-GCM.
    ///
    /// @param key      32 bytes
    /// @param nonce    12 bytes, the write_iv of RFC 8446
    /// @param sequence number of the first record; with the nonce it must never be used twice under one key
    public long encrypt(Descriptor socket, byte[] key, byte[] nonce, long sequence) {
        return give(socket, TLS_TX, key, nonce, sequence);
    }

    /// Has the kernel decrypt what is received from now on.
    public long decrypt(Descriptor socket, byte[] key, byte[] nonce, long sequence) {
        return give(socket, TLS_RX, key, nonce, sequence);
    }

    private long give(Descriptor socket, int direction, byte[] key, byte[] nonce, long sequence) {
        if (key.length != KEY_BYTES || nonce.length != NONCE_BYTES) {
            throw new IllegalArgumentException("A key of 32 bytes and a nonce of 12");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment info = cryptoInfo(arena, key, nonce, sequence);
            long result = kernel.sockets().setOption(socket, SOL_TLS, direction, info);
            info.fill((byte) 0);
            return result;
        }
    }

    /// The struct that hands a key over; its owner wipes it.
    static MemorySegment cryptoInfo(Arena arena, byte[] key, byte[] nonce, long sequence) {
        MemorySegment info = arena.allocate(INFO_BYTES, 8);
        info.set(ValueLayout.JAVA_SHORT, 0, TLS_1_3);
        info.set(ValueLayout.JAVA_SHORT, 2, AES_GCM_256);
        MemorySegment.copy(nonce, SALT_BYTES, info, ValueLayout.JAVA_BYTE, 4, NONCE_BYTES - SALT_BYTES);
        MemorySegment.copy(key, 0, info, ValueLayout.JAVA_BYTE, 12, KEY_BYTES);
        MemorySegment.copy(nonce, 0, info, ValueLayout.JAVA_BYTE, 44, SALT_BYTES);
        info.set(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN), 48, sequence);
        return info;
    }
}
