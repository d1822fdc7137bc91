package dev.sluice.cli;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import java.nio.file.Files;
import java.nio.file.Path;

/// A file on its way to a name: until it is whole it has a hidden one beside it, which tells what it is a part of.
///
/// `data.bin` of 1,000 bytes, last changed at 255 ns, comes as `.data.bin.1000-ff.part`. Whoever wants the same content
/// once more finds how far it
/// came; content that changed has another name. Used by one thread; close it.
final class PartFile implements AutoCloseable {
    private final Kernel kernel;
    private final Path path;
    private final Path target;
    private final boolean replace;
    private final Endpoint.File file;
    private final long presentBytes;

    /// Whether what isn't whole is of use to the next attempt.
    private final boolean resumable;

    private PartFile(
            Kernel kernel,
            Path path,
            Path target,
            boolean replace,
            Endpoint.File file,
            long presentBytes,
            boolean resumable) {
        this.kernel = kernel;
        this.path = path;
        this.target = target;
        this.replace = replace;
        this.file = file;
        this.presentBytes = presentBytes;
        this.resumable = resumable;
    }

    /// Opens the part, a new one or the one that was left.
    ///
    /// @param lengthBytes length of the whole
    /// @param changedNs   when its source was changed
    /// @param replace     whether the target may be there
    static PartFile open(Kernel kernel, Path target, long lengthBytes, long changedNs, boolean replace)
            throws CommandFailure, ErrnoException {
        refuse(target, replace);
        Path path = target.resolveSibling(
                "." + target.getFileName() + "." + lengthBytes + "-" + Long.toHexString(changedNs) + ".part");
        Endpoint.File file = Endpoint.openSink(kernel, path, false, kernel.account());
        try {
            long present = kernel.files().status(file.descriptor()).sizeBytes();
            if (present > lengthBytes) {
                ErrnoException.check(kernel.files().ftruncate(file.descriptor(), 0), Call.FTRUNCATE, path.toString());
                present = 0;
            }
            return new PartFile(kernel, path, target, replace, file, present, true);
        } catch (ErrnoException e) {
            file.close();
            throw e;
        }
    }

    /// Opens a part that is of no use unless it becomes whole: the process's own, and gone when it is closed
    /// before.
    static PartFile begin(Kernel kernel, Path target, boolean replace) throws CommandFailure, ErrnoException {
        refuse(target, replace);
        Path path = target.resolveSibling(
                "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        Endpoint.File file = Endpoint.openSink(kernel, path, true, kernel.account());
        return new PartFile(kernel, path, target, replace, file, 0, false);
    }

    /// Refuses a target that can't come into being, before anybody waits for its bytes.
    static void refuse(Path target, boolean replace) throws CommandFailure {
        if (Files.isDirectory(target)) {
            throw CommandFailure.failed(target + " is a folder; name a file");
        }
        if (!replace && Files.exists(target)) {
            throw CommandFailure.failed(target + " is there already; use --force to replace it");
        }
        OutputFile.requireFolder(target.toString(), target);
    }

    /// Where the part's next byte belongs.
    Endpoint.File end() {
        return new Endpoint.File(file.descriptor(), presentBytes);
    }

    /// Bytes that were left from before.
    long presentBytes() {
        return presentBytes;
    }

    /// Gives the whole its name.
    void complete() throws CommandFailure, ErrnoException {
        long result =
                replace ? kernel.files().rename(path, target) : kernel.files().renameNoReplace(path, target);
        if (result == -Errno.EEXIST) {
            throw CommandFailure.failed(target + " has come into being meanwhile; the new content is in " + path);
        }
        ErrnoException.check(result, Call.RENAME, target.toString());
    }

    /// Closes the file. What isn't complete stays under its hidden name, unless it is of no use.
    @Override
    public void close() {
        boolean useless = !resumable;
        try {
            useless |= kernel.files().status(file.descriptor()).sizeBytes() == 0;
        } catch (ErrnoException _) {
            // it stays, and the next attempt looks again
        }
        file.close();
        if (useless) {
            kernel.files().unlink(path); // after complete() there is nothing of that name
        }
    }
}
