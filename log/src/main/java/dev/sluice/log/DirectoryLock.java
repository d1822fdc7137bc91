package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// A data folder that is ours alone: made if missing, found to be usable, locked.
///
/// The lock is an open-file-description lock on `.lock`, which conflicts with the one that Kafka takes there and with
/// another of ours in the same process; the kernel drops it when the process ends, however that happens.
final class DirectoryLock implements AutoCloseable {
    private static final String FILE = ".lock";

    /// Where a KRaft broker keeps what topics it has.
    private static final String KAFKAS_CATALOGUE = "__cluster_metadata-0";

    /// What may be in a folder that is not ours yet: our own first steps, and what a fresh file system has.
    private static final Set<String> HARMLESS = Set.of(FILE, MetaProperties.FILE + SmallFiles.TEMPORARY, "lost+found");

    private static final int NAMES_SHOWN = 3;

    private final Kernel kernel;
    private final Path folder;
    private final Descriptor file;

    private DirectoryLock(Kernel kernel, Path folder, Descriptor file) {
        this.kernel = kernel;
        this.folder = folder;
        this.file = file;
    }

    /// Whether the name in a data folder belongs to the folder itself.
    static boolean isOwn(String name) {
        return name.equals(FILE)
                || name.equals(SpaceReserve.FILE)
                || name.equals(MetaProperties.FILE)
                || name.equals(OrphanWrites.FILE)
                || name.equals(PageCacheWitness.FILE)
                || name.equals("lost+found");
    }

    /// Takes the folder.
    ///
    /// @throws LogDirectoryException when it can't be had
    static DirectoryLock take(Kernel kernel, Path folder) throws LogDirectoryException {
        makeFolder(kernel, folder);
        refuseForeign(folder);
        Opened opened = kernel.files()
                .open(folder.resolve(FILE), Files.O_RDWR | Files.O_CREAT, SmallFiles.FILE_MODE, kernel.account());
        if (opened instanceof Opened.Failed failed) {
            throw inaccessible(folder, "its .lock can't be written", failed.errno());
        }
        return locked(kernel, folder, ((Opened.Ok) opened).descriptor());
    }

    private static DirectoryLock locked(Kernel kernel, Path folder, Descriptor file) throws LogDirectoryException {
        long result = kernel.files().tryLock(file);
        if (result < 0) {
            file.close();
            if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
                throw new LogDirectoryException.Held("Data folder " + folder
                        + " is held by another broker; stop that one, or choose another folder with --data (log.dirs)");
            }
            throw inaccessible(folder, "its .lock can't be locked", (int) -result);
        }
        return new DirectoryLock(kernel, folder, file);
    }

    /// Takes a folder that is there, and changes nothing in it: for looking at it.
    ///
    /// @return null for a folder without `.lock`, such as a copy: nobody has ever had it open
    /// @throws LogDirectoryException when it can't be had, or is no data folder
    static @Nullable DirectoryLock takeExisting(Kernel kernel, Path folder) throws LogDirectoryException {
        refuseForeign(folder);
        Opened opened = kernel.files().open(folder.resolve(FILE), Files.O_RDWR, 0, kernel.account());
        if (opened.errno() == Errno.ENOENT || opened.errno() == Errno.EROFS) {
            return null; // on a read-only file system no broker can have it open either
        }
        if (opened instanceof Opened.Failed failed) {
            throw inaccessible(folder, "its .lock can't be opened", failed.errno());
        }
        return locked(kernel, folder, ((Opened.Ok) opened).descriptor());
    }

    private static void makeFolder(Kernel kernel, Path folder) throws LogDirectoryException {
        try {
            FileStatus status = kernel.files().status(folder.toRealPath());
            if (!status.isDirectory()) {
                throw new LogDirectoryException.Inaccessible("Data folder " + folder
                        + " is a file; move it away, or choose another folder with --data (log.dirs)");
            }
        } catch (LogDirectoryException e) {
            throw e;
        } catch (java.nio.file.NoSuchFileException e) {
            makeFolders(kernel, folder);
        } catch (ErrnoException e) {
            throw inaccessible(folder, "it can't be looked at", e.errno());
        } catch (IOException e) {
            throw new LogDirectoryException.Inaccessible(
                    "Data folder " + folder + " can't be reached: " + SmallFiles.reason(e)
                            + "; give the broker's user access, or choose another folder with --data (log.dirs)");
        }
    }

    private static void makeFolders(Kernel kernel, Path folder) throws LogDirectoryException {
        Path parent = folder.getParent();
        if (parent != null && !java.nio.file.Files.exists(parent)) {
            makeFolders(kernel, parent);
        }
        long result = kernel.files().makeDirectory(folder, SmallFiles.FOLDER_MODE);
        if (result < 0 && result != -Errno.EEXIST) {
            throw inaccessible(folder, "it can't be made", (int) -result);
        }
    }

    /// A folder with content is ours only if `meta.properties` is part of it. Nothing is written into another's.
    private static void refuseForeign(Path folder) throws LogDirectoryException {
        List<String> names;
        try {
            names = SmallFiles.list(folder);
        } catch (IOException e) {
            throw new LogDirectoryException.Inaccessible("Data folder " + folder + " can't be read: " + e.getMessage()
                    + "; give the broker's user access, or choose another folder with --data (log.dirs)");
        }
        List<String> foreign =
                names.stream().filter(name -> !HARMLESS.contains(name)).toList();
        if (!foreign.isEmpty() && !foreign.contains(MetaProperties.FILE)) {
            throw new LogDirectoryException.Foreign("Data folder " + folder + " holds files that no broker wrote ("
                    + foreign.stream().limit(NAMES_SHOWN).collect(Collectors.joining(", "))
                    + (foreign.size() > NAMES_SHOWN ? ", …" : "")
                    + ", and no meta.properties); choose an empty or new folder with --data (log.dirs)");
        }
    }

    private static LogDirectoryException.Inaccessible inaccessible(Path folder, String what, int errno) {
        return new LogDirectoryException.Inaccessible("Data folder " + folder + " can't be used: " + what + " ("
                + Errno.describe(errno) + "); mend that, or choose another folder with --data (log.dirs)");
    }

    /// Makes sure that the folder belongs to `identity`; a new one does from now on.
    ///
    /// @return the folder's own id
    /// @throws LogDirectoryException.Foreign when it belongs to another
    UUID identify(Identity identity, Supplier<UUID> ids) throws LogDirectoryException, ErrnoException {
        if (java.nio.file.Files.exists(folder.resolve(KAFKAS_CATALOGUE))) {
            throw new LogDirectoryException.Foreign("Data folder " + folder + " is Apache Kafka's: what topics it has"
                    + " stands in " + KAFKAS_CATALOGUE
                    + ", which Sluice does not read. Choose another folder with --data"
                    + " (log.dirs), and bring the records over with a client");
        }
        UUID newId = KafkaUuid.random(ids);
        Optional<MetaProperties> found = readMeta(newId);
        MetaProperties meta = found.orElse(new MetaProperties(identity, newId));
        if (!meta.identity().clusterId().equals(identity.clusterId())) {
            throw foreign("cluster.id", meta.identity().clusterId(), identity.clusterId());
        }
        if (meta.identity().nodeId() != identity.nodeId()) {
            throw foreign("node.id", Integer.toString(meta.identity().nodeId()), Integer.toString(identity.nodeId()));
        }
        if (found.isEmpty() || meta.directoryId().equals(newId)) {
            try {
                meta.write(kernel, folder);
                SmallFiles.syncFolder(kernel, folder);
            } catch (ErrnoException e) {
                throw inaccessible(folder, "meta.properties can't be written", e.errno());
            }
        }
        return meta.directoryId();
    }

    private Optional<MetaProperties> readMeta(UUID newId) throws LogDirectoryException {
        try {
            return MetaProperties.read(kernel, folder, newId);
        } catch (ErrnoException e) {
            throw inaccessible(folder, "meta.properties can't be read", e.errno());
        }
    }

    private LogDirectoryException.Foreign foreign(String what, String theirs, String ours) {
        return new LogDirectoryException.Foreign("Data folder " + folder + " belongs to " + what + " " + theirs
                + ", and this broker is " + what + " " + ours + "; set " + what + "=" + theirs
                + ", or choose another folder with --data (log.dirs)");
    }

    /// Gives the folder up.
    @Override
    public void close() {
        file.close();
    }
}
