package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.RequiresProgram;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// seal and unseal: what comes back is what went in or nothing at all, openssl reads the same, and a key is kept from
/// others.
@Timeout(180)
class SealCommandTest {
    private static final byte[] KEY = HexFormat.of().parseHex("00ff".repeat(16));
    private static final int SEGMENT_BYTES = 64 << 10;

    @TempDir
    private Path folder;

    private Path source;
    private Path sealed;
    private Path key;

    @BeforeEach
    void paths() throws IOException {
        source = folder.resolve("source");
        sealed = folder.resolve("sealed");
        key = key("key", KEY);
    }

    private Path key(String name, byte[] content) throws IOException {
        Path file = Files.write(folder.resolve(name), content);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }

    private byte[] content(int lengthBytes) throws IOException {
        byte[] content = new byte[lengthBytes];
        new Random(3).nextBytes(content);
        Files.write(source, content);
        return content;
    }

    private SluiceRun seal() {
        return SluiceRun.of("seal", source.toString(), sealed.toString(), "--key", key.toString());
    }

    private SluiceRun unseal(Path with) {
        return SluiceRun.of("unseal", sealed.toString(), folder.resolve("back").toString(), "--key", with.toString());
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, SEGMENT_BYTES, 3 * SEGMENT_BYTES + 5})
    void whatIsSealedComesBackAndTheWayIsToldInOneLine(int lengthBytes) throws Exception {
        byte[] content = content(lengthBytes);

        SluiceRun there = seal();
        SluiceRun back = unseal(key("hex", (HexFormat.of().formatHex(KEY) + "\n").getBytes(StandardCharsets.US_ASCII)));

        assertThat(there.exitCode()).as(there.err()).isZero();
        assertThat(back.exitCode()).as(back.err()).isZero();
        assertThat(there.err()).matches("sealed .* in .*/s; read\\+encrypt\\+write: AES-256-GCM.*\\R");
        assertThat(back.err()).startsWith("unsealed " + (lengthBytes == 0 ? "0 B" : ""));
        assertThat(Files.readAllBytes(folder.resolve("back"))).isEqualTo(content);
        assertThat(names()).containsExactly("back", "hex", "key", "sealed", "source");
    }

    /// The key of the stream by `openssl kdf`, each segment by its AES-CTR, which GCM encrypts with, from counter 2
    /// on (NIST SP 800-38D, 7.1). The tags are held against libcrypto's in SealerTest.
    @Test
    @RequiresProgram("openssl")
    void opensslReadsTheSame() throws Exception {
        byte[] content = content(2 * SEGMENT_BYTES + 100);
        assertThat(seal().exitCode()).isZero();

        ByteBuffer stream = ByteBuffer.wrap(Files.readAllBytes(sealed));
        byte[] salt = new byte[32];
        stream.get(12, salt).position(44);
        String streamKey = new String(
                        openssl(
                                new byte[0],
                                ("kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:" + hex(KEY) + " -kdfopt hexsalt:"
                                                + hex(salt) + " -kdfopt hexinfo:"
                                                + hex("sluice sealed stream 1".getBytes(StandardCharsets.US_ASCII))
                                                + " HKDF")
                                        .split(" ")),
                        StandardCharsets.US_ASCII)
                .strip()
                .replace(":", "");
        ByteArrayOutputStream plain = new ByteArrayOutputStream();
        for (int number = 0; stream.hasRemaining(); number++) {
            byte[] ciphertext = new byte[Math.min(SEGMENT_BYTES, stream.remaining() - 16)];
            stream.get(ciphertext).position(stream.position() + 16);
            String counter =
                    "00".repeat(7) + String.format("%08x", number) + (stream.hasRemaining() ? "00" : "01") + "00000002";
            plain.write(openssl(ciphertext, "enc", "-d", "-aes-256-ctr", "-K", streamKey, "-iv", counter));
        }

        assertThat(Arrays.mismatch(plain.toByteArray(), content)).isEqualTo(-1);
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private byte[] openssl(byte[] in, String... arguments) throws Exception {
        Path input = Files.write(folder.resolve("openssl.in"), in);
        Path output = folder.resolve("openssl.out");
        Process process = new ProcessBuilder(Stream.concat(Stream.of("openssl"), Stream.of(arguments))
                        .toList())
                .redirectInput(input.toFile())
                .redirectOutput(output.toFile())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
        return Files.readAllBytes(output);
    }

    @Test
    void whatIsNotWholeAndAuthenticLeavesNothingBehind() throws Exception {
        content(2 * SEGMENT_BYTES);
        assertThat(seal().exitCode()).isZero();
        byte[] good = Files.readAllBytes(sealed);

        byte[] changed = good.clone();
        changed[good.length - 20] ^= 1;
        Files.write(sealed, changed);
        assertRefused(unseal(key), "is not what was sealed with this key");
        Files.write(sealed, Arrays.copyOf(good, 44 + SEGMENT_BYTES + 16));
        assertRefused(unseal(key), "it was cut short");
        Files.write(sealed, new byte[100]);
        assertRefused(unseal(key), "is no sealed stream");
        Files.write(sealed, good);
        assertRefused(unseal(key("other", new byte[32])), "the key is another one");
    }

    private void assertRefused(SluiceRun run, String says) throws IOException {
        assertThat(run.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(run.err()).contains(says, "back was not made");
        assertThat(run.err().lines()).hasSize(1);
        assertThat(names()).noneMatch(name -> name.contains("back"));
    }

    @Test
    void aStopLeavesNothingBehind() throws Exception {
        content(SEGMENT_BYTES);
        SluiceRun run = SluiceRun.with(
                new ByteArrayInputStream(new byte[0]),
                Map.of(),
                request -> request.stop(130),
                "seal",
                source.toString(),
                sealed.toString(),
                "--key",
                key.toString());

        assertThat(run.exitCode()).isEqualTo(130);
        assertThat(run.err()).contains("stopped after 0 B of 64.0 KiB", "sealed was not made");
        assertThat(names()).containsExactly("key", "source");
    }

    @Test
    void aKeyIsRefusedWithWhatToDoAndNeverShown() throws Exception {
        content(10);
        key = key("short", "secret".getBytes(StandardCharsets.US_ASCII));
        assertThat(seal().err())
                .contains("holds no key", "32 bytes, or 64 hexadecimal")
                .doesNotContain("secret");
        key = key("nothex", "g".repeat(64).getBytes(StandardCharsets.US_ASCII));
        assertThat(seal().err()).contains("holds no key").doesNotContain("ggg");
        key = Files.setPosixFilePermissions(key("open", KEY), PosixFilePermissions.fromString("rw-r-----"));
        assertThat(seal().err()).contains("chmod 600 " + key);
        key = folder.resolve("missing");
        SluiceRun missing = seal();
        assertThat(missing.err()).contains("no key in", "umask 077; head -c 32 /dev/urandom > " + key);
        assertThat(missing.exitCode()).isEqualTo(ExitCode.FAILURE);
        assertThat(names()).doesNotContain("sealed");
    }
}
