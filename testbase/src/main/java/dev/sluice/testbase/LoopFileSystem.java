package dev.sluice.testbase;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A file system of its own in a sparse file, mounted through a loop device, and what can befall it for real: a power
/// cut, a full disk, a write-back that is lost, a part that can't be read, a stall. Needs root.
///
/// Used by one thread, which closes it; nothing may be open on it then.
public final class LoopFileSystem implements AutoCloseable {
    /// `_IOR('X', 125, __u32)`, include/uapi/linux/fs.h; its flag: stop at once, without writing the journal out.
    /// What the device does not have by then is lost, as in a power cut (but for the device's own cache).
    private static final long FS_IOC_SHUTDOWN = 0x8004_587DL;

    private static final int NO_LOG_FLUSH = 2;

    /// What a file system needs at least: xfs refuses less.
    public static final long LEAST_XFS_BYTES = 310L << 20;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final MethodHandle OPEN = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle IOCTL = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("ioctl"),
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
            Linker.Option.firstVariadicArg(2));
    private static final MethodHandle CLOSE = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("close"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private static final long BUSY_NS = 60_000_000_000L;
    private static final long LOOK_MS = 20;

    private final Path image;
    private final Path folder;
    private final long sizeBytes;
    private boolean mounted;

    private LoopFileSystem(Path image, Path folder, long sizeBytes) {
        this.image = image;
        this.folder = folder;
        this.sizeBytes = sizeBytes;
    }

    /// Makes a file system and mounts it.
    ///
    /// @param parent    where image and mount point are made; on a tmpfs a flush costs next to nothing
    /// @param type      `ext4` or `xfs`
    /// @param sizeBytes taken from `parent` as it is written to
    public static LoopFileSystem create(Path parent, String type, long sizeBytes)
            throws IOException, InterruptedException {
        Path image = Files.createTempFile(parent, "disk", ".img").toRealPath();
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        Commands.run("mkfs." + type, "-q", image.toString());
        LoopFileSystem made = new LoopFileSystem(image, Files.createTempDirectory(parent, type), sizeBytes);
        made.mount();
        return made;
    }

    /// The mount point.
    public Path folder() {
        return folder;
    }

    private void mount() throws IOException, InterruptedException {
        Commands.run("mount", "-o", "loop", image.toString(), folder.toString());
        mounted = true;
    }

    /// Unmounts and mounts it again. Nothing may be open on it.
    public void remount() throws IOException, InterruptedException {
        unmount();
        mount();
    }

    /// Waits for what still holds it: files of a killed process that used io_uring are closed a moment after it is
    /// gone, and a mount namespace that somebody made meanwhile (`ip netns exec`) has a copy of the mount. Mounted
    /// again over that copy, it would be the same file system, with the power still cut.
    private void unmount() throws IOException, InterruptedException {
        long begunNs = System.nanoTime();
        if (mounted) {
            unmount(folder);
            mounted = false;
        }
        while (isHeld()) {
            if (System.nanoTime() - begunNs > BUSY_NS) {
                throw new IOException(image + " is unmounted and held all the same: by another mount namespace?");
            }
            Thread.sleep(LOOK_MS);
        }
    }

    /// Unmounts any file system, as soon as nobody has anything open on it.
    ///
    /// @throws IOException when that takes longer than a minute
    public static void unmount(Path folder) throws IOException, InterruptedException {
        long begunNs = System.nanoTime();
        while (true) {
            try {
                Commands.run("umount", folder.toString());
                return;
            } catch (IOException e) {
                if (System.nanoTime() - begunNs > BUSY_NS) {
                    throw e;
                }
                Thread.sleep(LOOK_MS);
            }
        }
    }

    /// Whether a loop device has it: loop(4) lets go of the image with the last mount.
    private boolean isHeld() throws IOException {
        try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
            for (Path device : devices) {
                try {
                    if (Files.readString(device.resolve("loop/backing_file"))
                            .strip()
                            .equals(image.toString())) {
                        return true;
                    }
                } catch (NoSuchFileException e) {
                    // has no file now
                }
            }
        }
        return false;
    }

    // ---- What can befall it

    /// Stops it as a power cut does: what was not synced is lost, and what is open on it fails with EIO until
    /// [#remount].
    public void cutPower() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int descriptor = (int) OPEN.invokeExact(arena.allocateFrom(folder.toString()), 0);
            MemorySegment flag = arena.allocateFrom(ValueLayout.JAVA_INT, NO_LOG_FLUSH);
            int result = (int) IOCTL.invokeExact(descriptor, FS_IOC_SHUTDOWN, flag);
            int closed = (int) CLOSE.invokeExact(descriptor);
            if (result != 0 || closed != 0) {
                throw new IOException("FS_IOC_SHUTDOWN of " + folder + " answered " + result);
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    /// Holds every change to it until [#thaw].
    public void freeze() throws IOException, InterruptedException {
        Commands.run("fsfreeze", "--freeze", folder.toString());
    }

    public void thaw() throws IOException, InterruptedException {
        Commands.run("fsfreeze", "--unfreeze", folder.toString());
    }

    /// Takes the upper part of its device away: what lies there can't be read (EIO), until [#restoreDevice].
    ///
    /// @param leftBytes what is left of the device
    public void truncateDevice(long leftBytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(leftBytes);
        }
    }

    /// Gives the device its size back; what was taken away reads as zeros.
    public void restoreDevice() throws IOException {
        truncateDevice(sizeBytes);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        if (mounted) {
            unmount();
        }
        Files.delete(folder);
        Files.delete(image);
    }
}
