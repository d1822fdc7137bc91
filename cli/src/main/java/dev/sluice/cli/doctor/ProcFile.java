package dev.sluice.cli.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalLong;

/// Values in files of /proc and /sys.
final class ProcFile {
    private static final int MOST_BYTES = 4096;

    private ProcFile() {}

    /// The number that a file holds, or empty when it isn't there or isn't one.
    static OptionalLong number(Path file) {
        try {
            return OptionalLong.of(Long.parseLong(text(file)));
        } catch (NumberFormatException _) {
            return OptionalLong.empty();
        }
    }

    /// A file's text without the line's end, or empty when it can't be read.
    static String text(Path file) {
        return new String(bytes(file), StandardCharsets.US_ASCII).strip();
    }

    /// A file's bytes, at most 4096, or none when it can't be read.
    static byte[] bytes(Path file) {
        // In one read: a file of /proc/sys has ended after the first, and Files.readString begins with one byte of a
        // file that says its length is 0.
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = new byte[MOST_BYTES];
            int length = in.read(bytes);
            return Arrays.copyOf(bytes, Math.max(0, length));
        } catch (IOException _) {
            return new byte[0];
        }
    }
}
