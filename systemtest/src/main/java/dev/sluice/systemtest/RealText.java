package dev.sluice.systemtest;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/// A large file of real text, made of the text files that the machine has: lines of all lengths, empty ones left out,
/// each ended by a newline.
final class RealText {
    private static final List<String> SOURCES = List.of(
            "/usr/share/doc", "/usr/share/common-licenses", "/usr/share/perl", "/usr/lib/python3", "/usr/include");
    private static final long SAMPLE_BYTES = 32 << 20;
    private static final int LONGEST_LINE = 900_000;

    private RealText() {}

    /// @param lengthBytes about how long the file shall be; it ends with the line that reaches it
    static void write(Path file, long lengthBytes) throws IOException {
        List<byte[]> lines = sample();
        CampaignFailure.require(!lines.isEmpty(), "no text files were found in " + SOURCES);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 20)) {
            long written = 0;
            for (int round = 0; written < lengthBytes; round++) {
                // A line of its own in each round, so that no two stretches of the file are the same.
                byte[] mark = ("--- " + round + " ---\n").getBytes(StandardCharsets.US_ASCII);
                out.write(mark);
                written += mark.length;
                for (byte[] line : lines) {
                    out.write(line);
                    written += line.length;
                    if (written >= lengthBytes) {
                        break;
                    }
                }
            }
        }
    }

    private static List<byte[]> sample() throws IOException {
        List<byte[]> lines = new ArrayList<>();
        long bytes = 0;
        for (String source : SOURCES) {
            if (!Files.isDirectory(Path.of(source))) {
                continue;
            }
            try (Stream<Path> files = Files.walk(Path.of(source))) {
                for (Path file :
                        (Iterable<Path>) files.filter(Files::isRegularFile).sorted()::iterator) {
                    bytes += addLines(file, lines);
                    if (bytes >= SAMPLE_BYTES) {
                        return lines;
                    }
                }
            }
        }
        return lines;
    }

    private static long addLines(Path file, List<byte[]> lines) throws IOException {
        byte[] content = Files.isReadable(file) ? Files.readAllBytes(file) : new byte[0];
        for (byte b : content) {
            if (b == 0) {
                return 0; // not text
            }
        }
        long bytes = 0;
        int from = 0;
        for (int i = 0; i < content.length; i++) {
            if (content[i] == '\n') {
                if (i > from && i - from < LONGEST_LINE) {
                    lines.add(Arrays.copyOfRange(content, from, i + 1));
                    bytes += i + 1 - from;
                }
                from = i + 1;
            }
        }
        return bytes;
    }
}
