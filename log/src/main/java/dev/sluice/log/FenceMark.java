package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/// The mark that a failed flush leaves in a partition's folder. After it the page cache is no witness of what is on the
/// device: pages that could not be written count as clean. Whoever recovers the partition has to read the device.
final class FenceMark {
    static final String FILE = "sluice.flush-failed";

    private FenceMark() {}

    /// Leaves the mark as far as that is possible. No sync, for the device has just failed: after a power loss
    /// there is no page cache to be misled by.
    static void leave(Kernel kernel, Path folder, String why) {
        try {
            SmallFiles.write(kernel, folder.resolve(FILE), (why + "\n").getBytes(StandardCharsets.UTF_8), false);
        } catch (ErrnoException e) {
            // The same device: what can't be written there can't be read back wrongly either, or is torn.
        }
    }

    static boolean isIn(Kernel kernel, Path folder) throws ErrnoException {
        return SmallFiles.read(kernel, folder.resolve(FILE)) != null;
    }

    static void remove(Kernel kernel, Path folder) throws ErrnoException {
        SmallFiles.remove(kernel, folder.resolve(FILE));
    }
}
