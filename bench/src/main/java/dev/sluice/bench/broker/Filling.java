package dev.sluice.bench.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Files to be read back.
final class Filling {
    private Filling() {}

    static void write(Path file, long mebibytes) throws IOException {
        byte[] mebibyte = new byte[1 << 20];
        try (var out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING)) {
            for (long i = 0; i < mebibytes; i++) {
                out.write(mebibyte);
            }
        }
    }
}
