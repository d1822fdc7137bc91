package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.transfer.Endpoint;
import dev.sluice.testbase.RequiresProgram;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// TLS in the kernel: the struct and the numbers are the header's; a kernel that has it sends records that a reader
/// written from RFC 8446 opens; one that hasn't says so, and the socket goes on as it was.
@Timeout(180)
class KernelTlsTest {
    private static final byte[] KEY = HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f".repeat(2));
    private static final byte[] NONCE = HexFormat.of().parseHex("a0a1a2a3a4a5a6a7a8a9aaab");
    private static final long SEQUENCE = 0x0102030405060708L;

    private static final int RECORD_BYTES = 16_384;
    private static final int HEADER_BYTES = 5;

    @TempDir
    private Path folder;

    private final Kernel kernel = new Kernel();

    /// The same struct, filled by a C program from linux/tls.h.
    @Test
    @RequiresProgram("gcc")
    void theStructAndTheNumbersAreThoseOfTheHeader() throws Exception {
        Path source = Files.writeString(folder.resolve("tls.c"), """
                #include <linux/tls.h>
                #include <netinet/tcp.h>
                #include <stdio.h>
                #include <string.h>
                #ifndef SOL_TLS
                #define SOL_TLS 282 /* linux/socket.h, which user programs don't see */
                #endif
                static void fill(unsigned char *to, int n, int first) { for (int i = 0; i < n; i++) to[i] = first + i; }
                int main(void) {
                    struct tls12_crypto_info_aes_gcm_256 info;
                    memset(&info, 0, sizeof info);
                    info.info.version = TLS_1_3_VERSION;
                    info.info.cipher_type = TLS_CIPHER_AES_GCM_256;
                    fill(info.salt, sizeof info.salt, 0xa0);
                    fill(info.iv, sizeof info.iv, 0xa4);
                    fill(info.key, 16, 0);
                    fill(info.key + 16, 16, 0);
                    fill(info.rec_seq, sizeof info.rec_seq, 1);
                    printf("%d %d %d %d ", TCP_ULP, SOL_TLS, TLS_TX, TLS_RX);
                    for (unsigned i = 0; i < sizeof info; i++) printf("%02x", ((unsigned char *) &info)[i]);
                    return 0;
                }
                """);
        Path program = folder.resolve("tls");
        run("gcc", "-o", program.toString(), source.toString());
        try (Arena arena = Arena.ofConfined()) {
            byte[] ours = KernelTls.cryptoInfo(arena, KEY, NONCE, SEQUENCE).toArray(ValueLayout.JAVA_BYTE);
            assertThat(run(program.toString()))
                    .isEqualTo("%d %d %d %d %s"
                            .formatted(
                                    KernelTls.TCP_ULP,
                                    KernelTls.SOL_TLS,
                                    KernelTls.TLS_TX,
                                    KernelTls.TLS_RX,
                                    HexFormat.of().formatHex(ours)));
        }
    }

    private static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(out).isZero();
        return out;
    }

    @Test
    void sendfileEncryptsWhereTheKernelHasTlsAndElsewhereTheSocketGoesOnAsItWas() throws Exception {
        byte[] content = new byte[2 * RECORD_BYTES + 100];
        new Random(5).nextBytes(content);
        Path file = Files.write(folder.resolve("file"), content);
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Descriptor socket = Endpoint.connect(
                                kernel, (InetSocketAddress) listener.getLocalSocketAddress(), true, 0, kernel.account())
                        .descriptor();
                Arena arena = Arena.ofConfined();
                Socket peer = listener.accept();
                Descriptor source =
                        Endpoint.openSource(kernel, file, kernel.account()).descriptor()) {
            long attached = kernel.kernelTls().attach(socket);
            assertThat(attached).isIn(0L, (long) -Errno.ENOENT);
            boolean encrypts = attached == 0;
            if (encrypts) {
                assertThat(kernel.kernelTls().encrypt(socket, KEY, NONCE, 0)).isZero();
            }
            MemorySegment scratch = arena.allocate(64, 8);
            for (long done = 0; done < content.length; ) {
                done += ErrnoException.check(
                        kernel.sockets().sendfile(socket, source, done, content.length - done, scratch),
                        Call.SENDFILE,
                        "file");
            }
            assertThat(kernel.sockets().shutdown(socket, Sockets.SHUT_WR)).isZero();
            byte[] arrived = peer.getInputStream().readAllBytes();
            assertThat(encrypts ? opened(arrived) : arrived).isEqualTo(content);
        }
    }

    /// RFC 8446, 5.2 and 5.3: record headers as additional data, nonces by XOR with the record's number, the last
    /// byte of a record its type.
    private static byte[] opened(byte[] stream) throws Exception {
        ByteBuffer records = ByteBuffer.wrap(stream);
        ByteBuffer plain = ByteBuffer.allocate(stream.length);
        List<Integer> lengths = new ArrayList<>();
        for (long number = 0; records.hasRemaining(); number++) {
            byte[] header = new byte[HEADER_BYTES];
            records.get(header);
            byte[] sealed = new byte[ByteBuffer.wrap(header).getShort(3)];
            records.get(sealed);
            byte[] nonce = NONCE.clone();
            ByteBuffer.wrap(nonce).putLong(4, ByteBuffer.wrap(nonce).getLong(4) ^ number);
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(KEY, "AES"), new GCMParameterSpec(128, nonce));
            cipher.updateAAD(header);
            byte[] opened = cipher.doFinal(sealed);
            assertThat(opened[opened.length - 1]).as("application data").isEqualTo((byte) 23);
            plain.put(opened, 0, opened.length - 1);
            lengths.add(opened.length - 1);
        }
        assertThat(lengths).startsWith(RECORD_BYTES, RECORD_BYTES);
        byte[] content = new byte[plain.position()];
        plain.get(0, content);
        return content;
    }

    @Test
    void aKeyOfAnotherLengthIsRefusedBeforeTheKernelIsAsked() throws Exception {
        try (Descriptor socket = kernel.sockets().stream(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true, kernel.account())
                .orThrow()) {
            assertThatThrownBy(() -> kernel.kernelTls().encrypt(socket, new byte[16], NONCE, 0))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> kernel.kernelTls().decrypt(socket, KEY, new byte[8], 0))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /// As after a race with a key change: the option is refused, and the number is handed on.
    @Test
    void aRefusalIsANumber() throws Exception {
        Kernel refusing = new Kernel((call, _, _, length) -> call == Call.SETSOCKOPT ? -Errno.EBUSY : length);
        try (Descriptor socket = refusing.sockets().stream(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true, refusing.account())
                .orThrow()) {
            assertThat(refusing.kernelTls().attach(socket)).isEqualTo(-Errno.EBUSY);
            assertThat(refusing.kernelTls().encrypt(socket, KEY, NONCE, 0)).isEqualTo(-Errno.EBUSY);
        }
    }
}
