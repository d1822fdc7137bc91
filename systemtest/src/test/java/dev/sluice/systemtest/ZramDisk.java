package dev.sluice.systemtest;

import static org.junit.jupiter.api.Assumptions.abort;

import dev.sluice.testbase.LoopFileSystem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A file system on a block device of compressed memory, which refuses writes while it may take no more memory, and
/// takes them again afterwards. Without a journal: that would have the file system read-only from its first failed
/// write on, and nothing would ever heal. Needs root.
///
/// Used by one thread, which closes it; nothing may be open on it then.
final class ZramDisk implements AutoCloseable {
    private static final Path CONTROL = Path.of("/sys/class/zram-control");
    private static final Duration BOUND = Duration.ofMinutes(2);
    private static final String SIZE = "64M";

    private final String number;
    private final Path device;
    private final Path folder;

    private ZramDisk(String number, Path folder) {
        this.number = number;
        this.device = Path.of("/dev/zram" + number);
        this.folder = folder;
    }

    /// Skips the test where the kernel has no such devices.
    static ZramDisk create(Path parent) throws IOException {
        if (!Files.isDirectory(CONTROL)) {
            abort("the kernel has no zram");
        }
        // Not readString: each read of this file makes a device.
        String number = command("cat", CONTROL.resolve("hot_add").toString()).strip();
        ZramDisk disk = new ZramDisk(number, Files.createTempDirectory(parent, "zram"));
        disk.set("disksize", SIZE);
        command("mkfs.ext4", "-q", "-O", "^has_journal", disk.device.toString());
        disk.mount();
        return disk;
    }

    private static String command(String... command) {
        return Processes.run(BOUND, List.of(command))
                .orThrow(String.join(" ", command))
                .output();
    }

    private void set(String what, String value) throws IOException {
        Files.writeString(Path.of("/sys/block/zram" + number, what), value);
    }

    private void mount() {
        command("mount", device.toString(), folder.toString());
    }

    Path folder() {
        return folder;
    }

    /// From now on writes that need memory fail (EIO), once the kernel writes them back.
    void refuse() throws IOException {
        String[] statistics = Files.readString(Path.of("/sys/block/zram" + number, "mm_stat"))
                .strip()
                .split(" +");
        set("mem_limit", statistics[2]); // mem_used_total: what it has
    }

    void heal() throws IOException {
        set("mem_limit", "0");
    }

    /// Drops what is in the page cache: what is read afterwards is the device's. Nothing may be open on it.
    void remount() throws IOException, InterruptedException {
        LoopFileSystem.unmount(folder);
        mount();
    }

    @Override
    public void close() throws IOException, InterruptedException {
        LoopFileSystem.unmount(folder);
        set("reset", "1");
        Files.writeString(CONTROL.resolve("hot_remove"), number);
        Files.delete(folder);
    }
}
