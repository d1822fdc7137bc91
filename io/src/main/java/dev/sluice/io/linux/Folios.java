package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.SortedMap;
import java.util.TreeMap;

/// In which pieces the page cache holds a file: a folio is one page, or several that lie beside each other and are
/// kept as one. Read from /proc/self/pagemap and /proc/kpageflags (admin-guide/mm/pagemap.rst of the kernel), which
/// show where pages are to root alone.
public final class Folios {
    private static final Path PAGEMAP = Path.of("/proc/self/pagemap");
    private static final Path KPAGEFLAGS = Path.of("/proc/kpageflags");

    private static final long FRAME_MASK = (1L << 55) - 1;
    private static final long PRESENT = 1L << 63;

    // include/uapi/linux/kernel-page-flags.h
    private static final long COMPOUND_HEAD = 1L << 15;
    private static final long COMPOUND_TAIL = 1L << 16;

    private final Kernel kernel;

    Folios(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Counts the folios of mapped memory, which must be of a file and brought in; a folio that reaches beyond it
    /// counts with the part that is mapped.
    ///
    /// @param into gets how many there are of each length in bytes
    /// @return pages looked at, fewer than mapped where some weren't there; −EACCES, −EPERM or −ENOENT where the
    ///     kernel doesn't show them
    public long count(MemorySegment mapped, SortedMap<Long, Long> into) {
        Opened pagemap = kernel.files().open(PAGEMAP, Files.O_RDONLY, 0, kernel.account());
        if (!(pagemap instanceof Opened.Ok(Descriptor frames))) {
            return -pagemap.errno();
        }
        try (frames) {
            Opened kpageflags = kernel.files().open(KPAGEFLAGS, Files.O_RDONLY, 0, kernel.account());
            if (!(kpageflags instanceof Opened.Ok(Descriptor flags))) {
                return -kpageflags.errno();
            }
            try (flags) {
                return count(mapped, frames, flags, into);
            }
        }
    }

    private long count(MemorySegment mapped, Descriptor frames, Descriptor flags, SortedMap<Long, Long> into) {
        SortedMap<Long, Long> found = new TreeMap<>();
        long seen = 0;
        long folioPages = 0;
        long lastFrame = -1;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment word = arena.allocate(ValueLayout.JAVA_LONG);
            long first = mapped.address() / Mappings.PAGE_BYTES;
            for (long page = 0; page < mapped.byteSize() / Mappings.PAGE_BYTES; page++) {
                long n = kernel.files().pread(frames, word, (first + page) * Long.BYTES);
                if (n < Long.BYTES) {
                    return n < 0 ? n : -Errno.EIO;
                }
                long entry = word.get(ValueLayout.JAVA_LONG, 0);
                long frame = entry & FRAME_MASK;
                if ((entry & PRESENT) == 0) {
                    continue;
                }
                if (frame == 0) {
                    return -Errno.EPERM; // without CAP_SYS_ADMIN all frames read as 0
                }
                n = kernel.files().pread(flags, word, frame * Long.BYTES);
                if (n < Long.BYTES) {
                    return n < 0 ? n : -Errno.EIO;
                }
                boolean goesOn = folioPages > 0
                        && frame == lastFrame + 1
                        && (word.get(ValueLayout.JAVA_LONG, 0) & (COMPOUND_HEAD | COMPOUND_TAIL)) == COMPOUND_TAIL;
                if (!goesOn && folioPages > 0) {
                    found.merge(folioPages * Mappings.PAGE_BYTES, 1L, Long::sum);
                    folioPages = 0;
                }
                folioPages++;
                lastFrame = frame;
                seen++;
            }
        }
        if (folioPages > 0) {
            found.merge(folioPages * Mappings.PAGE_BYTES, 1L, Long::sum);
        }
        into.putAll(found);
        return seen;
    }
}
