package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Whole small files and folders: what checkpoints, snapshots and properties are kept in. Control plane; may block.
final class SmallFiles {
    static final int FILE_MODE = 0644;
    static final int FOLDER_MODE = 0755;

    /// What a file that is being replaced is called until it is whole.
    static final String TEMPORARY = ".tmp";

    private SmallFiles() {}

    /// The file's content, or null where there is no such file.
    static byte @Nullable [] read(Kernel kernel, Path path) throws ErrnoException {
        Opened opened = kernel.files().open(path, Files.O_RDONLY, 0, kernel.account());
        if (opened.errno() == Errno.ENOENT) {
            return null;
        }
        try (Descriptor file = opened.orThrow();
                Arena arena = Arena.ofConfined()) {
            long size = kernel.files().status(file).sizeBytes();
            MemorySegment content = arena.allocate(size);
            long length =
                    ErrnoException.check(kernel.files().preadFully(file, content, 0), Call.PREAD, path.toString());
            return content.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /// Gives the file new content, all of it or, after whatever crash, none: a temporary file, synced, renamed
    /// over it. That the new one is the one found after a power cut takes a [#syncFolder] more.
    static void replace(Kernel kernel, Path path, byte[] content) throws ErrnoException {
        Path temporary = path.resolveSibling(path.getFileName() + TEMPORARY);
        write(kernel, temporary, content, true);
        ErrnoException.check(kernel.files().rename(temporary, path), Call.RENAME, temporary.toString());
    }

    /// Writes the file anew in place. A crash can leave a part of it.
    ///
    /// @param sync whether to wait until it is on the device
    static void write(Kernel kernel, Path path, byte[] content, boolean sync) throws ErrnoException {
        Opened opened =
                kernel.files().open(path, Files.O_WRONLY | Files.O_CREAT | Files.O_TRUNC, FILE_MODE, kernel.account());
        try (Descriptor file = opened.orThrow();
                Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(content.length);
            MemorySegment.copy(content, 0, bytes, ValueLayout.JAVA_BYTE, 0, content.length);
            ErrnoException.check(kernel.files().pwriteFully(file, bytes, 0), Call.PWRITE, path.toString());
            if (sync) {
                ErrnoException.check(kernel.files().fsync(file), Call.FSYNC, path.toString());
            }
        }
    }

    /// Waits until a file that was written is on the device.
    static void sync(Kernel kernel, Path path) throws ErrnoException {
        sync(kernel, path, Files.O_RDONLY);
    }

    /// Makes the names in a folder durable.
    static void syncFolder(Kernel kernel, Path folder) throws ErrnoException {
        sync(kernel, folder, Files.O_RDONLY | Files.O_DIRECTORY);
    }

    private static void sync(Kernel kernel, Path path, int flags) throws ErrnoException {
        try (Descriptor descriptor =
                kernel.files().open(path, flags, 0, kernel.account()).orThrow()) {
            ErrnoException.check(kernel.files().fsync(descriptor), Call.FSYNC, path.toString());
        }
    }

    /// Removes a file; that it is gone already is no failure.
    static void remove(Kernel kernel, Path path) throws ErrnoException {
        long result = kernel.files().unlink(path);
        if (result != -Errno.ENOENT) {
            ErrnoException.check(result, Call.UNLINK, path.toString());
        }
    }

    /// Removes a folder and the files in it; folders in it are left, and then it is too.
    static void removeFolder(Kernel kernel, Path folder) throws IOException {
        for (String name : list(folder)) {
            Path path = folder.resolve(name);
            if (kernel.files().status(path).isDirectory()) {
                continue;
            }
            remove(kernel, path);
        }
        long result = kernel.files().removeDirectory(folder);
        if (result != -Errno.ENOENT) {
            ErrnoException.check(result, Call.UNLINK, folder.toString());
        }
    }

    /// The names in a folder, sorted. The JDK does the listing: it opens and closes a descriptor of its own.
    ///
    /// @throws IOException saying which folder, and why
    static List<String> list(Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> entries = java.nio.file.Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                names.add(fileName(entry));
            }
        } catch (DirectoryIteratorException | UncheckedIOException e) {
            throw new IOException("Listing " + folder + " failed: " + e.getCause(), e);
        } catch (IOException e) {
            throw new IOException("Listing " + folder + " failed: " + reason(e), e);
        }
        Collections.sort(names);
        return names;
    }

    /// What the JDK's file exceptions mean to say: most of their messages are only the path.
    static String reason(IOException e) {
        return switch (e) {
            case AccessDeniedException _ -> "permission denied";
            case NoSuchFileException _ -> "it does not exist";
            case NotDirectoryException _ -> "it is not a folder";
            default -> String.valueOf(e.getMessage());
        };
    }

    static String fileName(Path path) {
        Path name = path.getFileName();
        return name == null ? "" : name.toString();
    }

    static Path folderOf(Path path) {
        Path parent = path.toAbsolutePath().getParent();
        if (parent == null) {
            throw new IllegalArgumentException(path + " has no folder");
        }
        return parent;
    }
}
