package dev.sluice.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/// A file that a command is to write at its end: whether it can is asked at its beginning, before a minute of work or a
/// wait for a peer.
final class OutputFile {
    private OutputFile() {}

    /// @param option   the option that names the file, to begin the line with
    /// @param fileName as it was typed
    static void require(String option, String fileName) throws CommandFailure {
        Path file = Path.of(fileName).toAbsolutePath();
        String what = option + " " + fileName;
        if (Files.isDirectory(file)) {
            throw CommandFailure.failed(what + ": a folder; name a file");
        }
        if (Files.exists(file)) {
            if (!Files.isWritable(file)) {
                throw CommandFailure.failed(what + ": it may not be written to; name another file");
            }
            return;
        }
        requireFolder(what, file);
    }

    /// Requires that a file of that name can be made in its folder.
    ///
    /// @param what to begin the line with
    static void requireFolder(String what, Path file) throws CommandFailure {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            boolean hidden = folder != null && !Files.notExists(folder);
            throw CommandFailure.failed(what + ": "
                    + (hidden
                            ? folder + " is no folder that can be reached; name another"
                            : "there is no folder " + folder + "; make it first, or name another"));
        }
        if (!Files.isWritable(folder) || !Files.isExecutable(folder)) {
            throw CommandFailure.failed(what + ": nothing may be written to the folder " + folder + "; name another");
        }
    }
}
