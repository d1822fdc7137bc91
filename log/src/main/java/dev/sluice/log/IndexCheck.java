package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Looks at an index file at opening: is it there, of whole entries, and do its first and last fit the segment.
///
/// What lies between is not read. An entry that lies is found out when it is used, see [HeaderCursor#seek].
///
/// @param entries number of entries
/// @param last    the last one, or null in an empty index
record IndexCheck(int entries, @Nullable IndexEntry last) {
    /// What is in the file, or null when it has to be made anew.
    ///
    /// @param nextRelativeOffset above every relative offset in the segment
    static @Nullable IndexCheck of(Kernel kernel, IndexFormat format, Path path, long nextRelativeOffset, long logBytes)
            throws ErrnoException {
        Opened opened = kernel.files().open(path, Files.O_RDONLY, 0, kernel.account());
        if (opened.errno() == Errno.ENOENT) {
            return null;
        }
        try (Descriptor file = opened.orThrow();
                Arena arena = Arena.ofConfined()) {
            long size = kernel.files().status(file).sizeBytes();
            if (size % format.entryBytes != 0 || size > Integer.MAX_VALUE) {
                return null;
            }
            int entries = (int) (size / format.entryBytes);
            if (entries == 0) {
                return new IndexCheck(0, null);
            }
            MemorySegment entry = arena.allocate(format.entryBytes, 8);
            IndexEntry first = read(kernel, format, file, entry, 0);
            IndexEntry last = read(kernel, format, file, entry, entries - 1);
            return format.plausible(first, last, nextRelativeOffset, logBytes) ? new IndexCheck(entries, last) : null;
        }
    }

    private static IndexEntry read(Kernel kernel, IndexFormat format, Descriptor file, MemorySegment entry, int index)
            throws ErrnoException {
        long read = kernel.files().preadFully(file, entry, (long) index * format.entryBytes);
        ErrnoException.check(read, Call.PREAD, file.name());
        return format.entry(entry, 0);
    }
}
