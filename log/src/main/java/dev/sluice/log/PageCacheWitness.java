package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Tells whether the page cache that the broker before wrote to is still there, so that its death has cost nothing: a
/// file of the data folder that says under which circumstances it was written.
///
/// ```
/// boot 5b0c5b9e-4c0b-4bb5-9d2c-5ad0ed7f1f70     /proc/sys/kernel/random/boot_id: another when the machine was started
/// mount 4294967428                              the mount's number, never given twice: another when it was mounted
/// folder 2359299                                its inode: another where it was copied to
/// filled                                        there where the engine fills files ahead of their ends
/// ```
///
/// Never synced: after a power loss the file that is found is of another boot, or none. Recovery takes it away before
/// it cuts a log, and leaves it anew when all logs are mended, so that one that dies half-way is not taken for a
/// healthy broker. What a device has lost without the machine going down shows otherwise: by checksums, and by the mark
/// that a failed flush leaves.
final class PageCacheWitness {
    static final String FILE = "sluice.page-cache";

    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final int BOOT_ID_BYTES = 64;

    private PageCacheWitness() {}

    /// Whether nothing has come between what the broker before wrote and what is read now. Where the kernel does
    /// not tell, it is not known, and the answer is no.
    ///
    /// @param filled whether that broker's engine was one that fills files ahead of their ends
    static boolean isThere(Kernel kernel, Path folder, boolean filled) throws ErrnoException {
        byte @Nullable [] found = SmallFiles.read(kernel, folder.resolve(FILE));
        return found != null && Arrays.equals(found, circumstances(kernel, folder, filled));
    }

    /// Takes it away: from now on something is lost.
    static void forget(Kernel kernel, Path folder) throws ErrnoException {
        SmallFiles.remove(kernel, folder.resolve(FILE));
    }

    /// Leaves the witness for whoever opens the folder next.
    static void leave(Kernel kernel, Path folder, boolean filled) throws ErrnoException {
        byte @Nullable [] now = circumstances(kernel, folder, filled);
        if (now != null) {
            SmallFiles.write(kernel, folder.resolve(FILE), now, false);
        }
    }

    private static byte @Nullable [] circumstances(Kernel kernel, Path folder, boolean filled) throws ErrnoException {
        String boot = bootId(kernel);
        FileStatus status;
        try (Descriptor open = kernel.files()
                .open(folder, Files.O_RDONLY | Files.O_DIRECTORY, 0, kernel.account())
                .orThrow()) {
            status = kernel.files().status(open);
        }
        return boot.isEmpty() || status.mountId() == 0
                ? null
                : ("boot " + boot + "\nmount " + status.mountId() + "\nfolder " + status.inode() + "\n"
                                + (filled ? "filled\n" : ""))
                        .getBytes(StandardCharsets.UTF_8);
    }

    private static String bootId(Kernel kernel) {
        try (Descriptor file = kernel.files()
                        .open(BOOT_ID, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(BOOT_ID_BYTES); // files of /proc tell no length
            long length = ErrnoException.check(kernel.files().pread(file, text, 0), Call.PREAD, BOOT_ID.toString());
            byte[] bytes = text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            return new String(bytes, StandardCharsets.UTF_8).strip();
        } catch (ErrnoException e) {
            return ""; // no /proc: not known
        }
    }
}
