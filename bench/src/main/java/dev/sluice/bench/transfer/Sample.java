package dev.sluice.bench.transfer;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/// The file that is sent: random bytes, in the page cache.
///
/// @param hash FNV-1a of its bytes, as the checking receiver makes it
record Sample(Path path, long bytes, long hash) {
    private static final long FNV_BASIS = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /// Writes a file of this length; one that has it already is taken as it is, read once, which warms it.
    static Sample at(Path path, long bytes) throws IOException {
        if (!Files.exists(path) || Files.size(path) != bytes) {
            write(path, bytes);
        }
        long hash = FNV_BASIS;
        byte[] buffer = new byte[1 << 20];
        try (var in = Files.newInputStream(path)) {
            for (int n = in.read(buffer); n > 0; n = in.read(buffer)) {
                for (int i = 0; i < n; i++) {
                    hash = (hash ^ (buffer[i] & 0xff)) * FNV_PRIME;
                }
            }
        }
        return new Sample(path, bytes, hash);
    }

    private static void write(Path path, long bytes) throws IOException {
        Random random = new Random(bytes);
        byte[] buffer = new byte[1 << 20];
        try (var out = Files.newOutputStream(path)) {
            for (long left = bytes; left > 0; ) {
                random.nextBytes(buffer);
                int n = (int) Math.min(left, buffer.length);
                out.write(buffer, 0, n);
                left -= n;
            }
        }
    }

    /// On what kind of file system it lies, as /proc/mounts has it.
    String fileSystem() throws IOException {
        return Files.getFileStore(path).type();
    }

    /// Reads a small file of /proc.
    static String proc(String file) throws IOException {
        return new String(Files.readAllBytes(Path.of("/proc", file)), StandardCharsets.UTF_8);
    }
}
