package dev.sluice.io.support;

import dev.sluice.testbase.Commands;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;

/// A block device made of a sparse file. Needs root.
public final class LoopDevice implements AutoCloseable {
    private final Path image;
    private final Path device;

    private LoopDevice(Path image, Path device) {
        this.image = image;
        this.device = device;
    }

    /// @param sectorBytes 512 or 4096
    public static LoopDevice open(Path folder, long sizeBytes, int sectorBytes)
            throws IOException, InterruptedException {
        Path image = Files.createTempFile(folder, "disk", ".img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        String device = Commands.run(
                "losetup", "--find", "--show", "--sector-size", Integer.toString(sectorBytes), image.toString());
        return new LoopDevice(image, Path.of(device));
    }

    public Path path() {
        return device;
    }

    @Override
    public void close() throws IOException, InterruptedException {
        Commands.run("losetup", "--detach", device.toString());
        Files.delete(image);
    }
}
