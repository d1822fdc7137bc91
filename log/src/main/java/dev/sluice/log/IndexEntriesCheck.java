package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// Holds every entry of an index against the batches of its segment, which it is shown in order.
///
/// [IndexCheck] looks at the ends alone, as opening has no time for more. Used once, by one thread.
final class IndexEntriesCheck {
    private final IndexFormat format;
    private final Path path;
    private final long baseOffset;
    private final byte @Nullable [] content;
    private final MemorySegment entries;

    private int at;
    private @Nullable String problem;

    /// @throws ErrnoException when the file can't be read
    IndexEntriesCheck(Kernel kernel, IndexFormat format, Path path, long baseOffset) throws ErrnoException {
        this.format = format;
        this.path = path;
        this.baseOffset = baseOffset;
        this.content = SmallFiles.read(kernel, path);
        this.entries = MemorySegment.ofArray(content == null ? new byte[0] : content);
        if (content == null) {
            problem = "is missing";
        }
    }

    Path path() {
        return path;
    }

    /// The first byte of the entry that is wrong, or −1 when the file is missing.
    long position() {
        return content == null ? -1 : at;
    }

    /// What is wrong with it, or null.
    @Nullable String problem() {
        return problem;
    }

    void batch(BatchView header, int position) {
        while (problem == null && at + format.entryBytes <= entries.byteSize()) {
            IndexEntry entry = new IndexEntry(format.key(entries, at), format.value(entries, at));
            int order = format == IndexFormat.OFFSET
                    ? Integer.compare(entry.value(), position)
                    : Long.compare(baseOffset + entry.value(), header.lastOffset());
            if (order > 0) {
                return; // of a batch that is still to come
            }
            boolean fits = format == IndexFormat.OFFSET
                    ? entry.key() == header.lastOffset() - baseOffset
                    : entry.key() == header.maxTimestamp();
            if (order < 0 || !fits) {
                problem = "has an entry (" + entry.key() + ", " + entry.value() + ") that no batch bears out";
                return;
            }
            at += format.entryBytes;
        }
    }

    /// To be called behind the last batch.
    void end() {
        if (problem == null && at < entries.byteSize()) {
            problem = entries.byteSize() - at < format.entryBytes
                    ? "ends within an entry"
                    : "has an entry (" + format.key(entries, at) + ", " + format.value(entries, at)
                            + ") that no batch bears out";
        }
    }
}
