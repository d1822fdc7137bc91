package dev.sluice.io.support;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/// A small file system of its own, on a loop device. Needs root.
public final class LoopMount implements AutoCloseable {
    /// `_IOR('X', 125, __u32)` and its flag: stop at once, without writing the journal out. What the device does
    /// not have by then is lost, as in a power cut (but for the device's own cache).
    private static final int FS_IOC_SHUTDOWN = 0x8004_587D;

    private static final int NO_LOG_FLUSH = 2;

    private final LoopDevice device;
    private final Path folder;
    private boolean mounted;

    private LoopMount(LoopDevice device, Path folder) {
        this.device = device;
        this.folder = folder;
    }

    /// @param type `ext4` or `xfs`, which wants 300 MiB at least
    public static LoopMount open(Path parent, String type, long sizeBytes) throws IOException, InterruptedException {
        LoopDevice device = LoopDevice.open(parent, sizeBytes, 512);
        LoopMount mount = new LoopMount(device, Files.createTempDirectory(parent, type));
        try {
            Commands.run("mkfs." + type, "-q", device.path().toString());
            mount.mount();
            return mount;
        } catch (IOException e) {
            device.close();
            throw e;
        }
    }

    public Path folder() {
        return folder;
    }

    public LoopDevice device() {
        return device;
    }

    private void mount() throws IOException, InterruptedException {
        Commands.run("mount", device.path().toString(), folder.toString());
        mounted = true;
    }

    /// Stops the file system; what is open on it fails from now on with EIO.
    public void cutPowerOnly() throws IOException {
        shutDown(folder);
    }

    /// Mounts what [#cutPowerOnly] has left. Nothing may be open on it.
    public void mountAgain() throws IOException, InterruptedException {
        Commands.run("umount", folder.toString());
        mounted = false;
        mount();
    }

    private static void shutDown(Path mountPoint) throws IOException {
        Linker linker = Linker.nativeLinker();
        MethodHandle open = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("open"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                Linker.Option.firstVariadicArg(2));
        MethodHandle ioctl = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("ioctl"),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
                Linker.Option.firstVariadicArg(2));
        MethodHandle close = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("close"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined()) {
            int descriptor = (int) open.invokeExact(arena.allocateFrom(mountPoint.toString()), 0);
            MemorySegment flag = arena.allocateFrom(ValueLayout.JAVA_INT, NO_LOG_FLUSH);
            int result = (int) ioctl.invokeExact(descriptor, Integer.toUnsignedLong(FS_IOC_SHUTDOWN), flag);
            int closed = (int) close.invokeExact(descriptor);
            if (result != 0 || closed != 0) {
                throw new IOException("FS_IOC_SHUTDOWN of " + mountPoint + " answered " + result);
            }
        } catch (IOException e) {
            throw e;
        } catch (Throwable t) {
            throw new IllegalStateException(t);
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        if (mounted) {
            Commands.run("umount", folder.toString());
        }
        device.close();
    }
}
