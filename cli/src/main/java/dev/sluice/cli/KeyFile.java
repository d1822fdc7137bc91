package dev.sluice.cli;

import dev.sluice.io.seal.Sealer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Set;

/// A key in a file: 32 bytes, or 64 hexadecimal digits and a line's end. A key is never an argument or an environment
/// variable, which other processes can read.
final class KeyFile {
    private static final int HEX_DIGITS = 2 * Sealer.KEY_BYTES;

    /// Longer than any key; what has more is a mistake, and isn't read on.
    private static final int MOST_BYTES = HEX_DIGITS + 2;

    private static final Set<PosixFilePermission> OF_OTHERS = Set.of(
            PosixFilePermission.GROUP_READ,
            PosixFilePermission.GROUP_WRITE,
            PosixFilePermission.OTHERS_READ,
            PosixFilePermission.OTHERS_WRITE);

    private KeyFile() {}

    /// Reads it.
    ///
    /// @param file a file that its owner alone can read, or a pipe such as `/dev/stdin`
    /// @return the key's bytes; the caller wipes them
    static byte[] read(Path file) throws CommandFailure {
        if (!Files.exists(file)) {
            throw CommandFailure.failed("no key in " + file + "; make one with: (umask 077; head -c " + Sealer.KEY_BYTES
                    + " /dev/urandom > " + file + ")");
        }
        byte[] bytes;
        try {
            if (Files.isRegularFile(file) && isOpenToOthers(file)) {
                throw CommandFailure.failed("others can read or change the key in " + file + "; chmod 600 " + file);
            }
            try (InputStream in = Files.newInputStream(file)) {
                bytes = in.readNBytes(MOST_BYTES + 1);
            }
        } catch (IOException e) {
            throw CommandFailure.failed("the key in " + file + " can't be read: " + e.getMessage(), e);
        }
        try {
            return bytes.length == Sealer.KEY_BYTES ? bytes.clone() : ofDigits(bytes);
        } catch (IllegalArgumentException _) { // without its cause, which would tell digits of the key
            throw CommandFailure.failed(file + " holds no key: that is " + Sealer.KEY_BYTES + " bytes, or " + HEX_DIGITS
                    + " hexadecimal digits");
        } finally {
            Arrays.fill(bytes, (byte) 0);
        }
    }

    private static boolean isOpenToOthers(Path file) throws IOException {
        return Files.getPosixFilePermissions(file).stream().anyMatch(OF_OTHERS::contains);
    }

    private static byte[] ofDigits(byte[] bytes) {
        String digits = new String(bytes, StandardCharsets.ISO_8859_1).strip();
        if (digits.length() != HEX_DIGITS || bytes.length > MOST_BYTES) {
            throw new IllegalArgumentException("no key");
        }
        return HexFormat.of().parseHex(digits);
    }
}
