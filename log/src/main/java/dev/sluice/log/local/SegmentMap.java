package dev.sluice.log.local;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.linux.PageCache;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.view.FaultDelivery;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// One segment's file as a reader has it: the descriptor that was passed, and a read-only map of it.
///
/// The broker never shortens a file below what it has published, and never changes that. Somebody else may (an operator
/// with `truncate`), and a disk may fail; then touching the map raises SIGBUS. Java's own accesses live through that
/// with an InternalError, which is made a [LocalLogException] here ([#unreadable]); native code would not, so nothing
/// native gets these pages but MADV_POPULATE_READ, which answers EFAULT. It brings in pages that are not in the page
/// cache, [#WINDOW_BYTES] at a time: a page fault in Java code would hold up safepoints while the disk is waited for.
/// Pages that are there are only asked about (cachestat), and come with the faults of plain access, [#AROUND_BYTES] at
/// a time at least, all of the window's before the first is read. The figures are in docs/decisions,
/// "Local readers map the log's own files".
///
/// Owned by one thread, which closes it. What it lends can't be touched once it is closed.
final class SegmentMap implements AutoCloseable {
    static final int WINDOW_BYTES = 8 << 20;
    /// What a fault maps of the page cache around it (fault_around_bytes of the kernel; more where a folio is
    /// larger).
    private static final int AROUND_BYTES = 64 << 10;
    /// Positions are ints, and a map is made of pages.
    private static final long MOST_BYTES = 1L << 31;

    private final Kernel kernel;
    private final PageCache pageCache;
    private final Descriptor file;
    private final long baseOffset;
    private Mapping mapping;
    private Arena arena;
    private MemorySegment memory;
    /// Up to here, pages were asked for.
    private long broughtIn;
    /// What was touched comes to, so that no compiler leaves the touches out.
    @SuppressWarnings("UnusedVariable")
    private int touched;

    /// @param file     taken over
    /// @param mapBytes how much to map, more than the file may have
    SegmentMap(Kernel kernel, Descriptor file, long baseOffset, long mapBytes) throws ErrnoException {
        this.kernel = kernel;
        this.pageCache = kernel.pageCache();
        this.file = file;
        this.baseOffset = baseOffset;
        this.mapping = map(mapBytes);
        this.arena = Arena.ofConfined();
        this.memory = Mappings.lend(mapping.segment(), 0, mapping.segment().byteSize(), arena);
    }

    private Mapping map(long bytes) throws ErrnoException {
        long whole = Math.clamp(
                (bytes + Mappings.PAGE_BYTES - 1) / Mappings.PAGE_BYTES * Mappings.PAGE_BYTES,
                Mappings.PAGE_BYTES,
                MOST_BYTES);
        Mapping made = Mapping.ofFile(kernel, file, 0, whole, false);
        // Pages are read once, in order: the kernel reads ahead of us, and lets go of them before others.
        made.advise(Mappings.MADV_SEQUENTIAL);
        return made;
    }

    long baseOffset() {
        return baseOffset;
    }

    String name() {
        return file.name();
    }

    /// The map; lent until the next [#reach] or [#close].
    MemorySegment memory() {
        return memory;
    }

    /// Maps more of the file if need be: it was configured to grow longer since.
    void reach(long endPosition) throws ErrnoException {
        if (endPosition <= memory.byteSize()) {
            return;
        }
        Mapping longer = map(Math.max(endPosition, 2 * memory.byteSize()));
        unmap();
        mapping = longer;
        arena = Arena.ofConfined();
        memory = Mappings.lend(longer.segment(), 0, longer.segment().byteSize(), arena);
        broughtIn = 0;
    }

    /// Brings pages in, a window at a time, for whoever is about to read `position` to `endPosition`.
    ///
    /// @param publishedEnd where the published bytes end, at least `endPosition`
    /// @param isFresh      whether what is left was appended while we waited for it: it is in the page cache, and
    ///     costs less to touch than to ask for
    /// @throws LocalLogException when the file does not have these bytes, or the device does not give them
    void bringIn(long position, long endPosition, long publishedEnd, boolean isFresh) throws LocalLogException {
        if (endPosition <= broughtIn || (isFresh && publishedEnd - position < WINDOW_BYTES)) {
            return;
        }
        long from = Math.max(position, broughtIn) & -Mappings.PAGE_BYTES;
        long to = Math.min(publishedEnd, Math.max(endPosition, from + WINDOW_BYTES));
        if (pageCache.residentBytes(file, from, to - from) == to - from) {
            touch(from, to);
            broughtIn = to;
            return;
        }
        long result = kernel.mappings().advise(mapping.segment().asSlice(from, to - from), Mappings.MADV_POPULATE_READ);
        if (result == -Errno.EFAULT) {
            throw unreadable(position);
        }
        broughtIn = to; // before Linux 5.14 (EINVAL) pages come when they are touched
    }

    /// Takes the faults of a window one after the other. Reading page after page, with a fault each 64 KiB, takes
    /// twice as long for the same faults: a page that was mapped just now is slow to read.
    private void touch(long from, long to) {
        int sum = 0;
        for (long position = from; position < to; position += AROUND_BYTES) {
            sum += memory.get(ValueLayout.JAVA_BYTE, position);
        }
        touched = sum;
    }

    /// Throws if this thread is owed the news that it touched a page that isn't there.
    void verify(long position) throws LocalLogException {
        if (FaultDelivery.isOwed()) {
            throw unreadable(position);
        }
    }

    LocalLogException unreadable(long position) {
        return new LocalLogException(
                LocalLogException.Reason.UNREADABLE,
                "The segment " + name() + " can't be read at byte " + position
                        + ": it was truncated by somebody else than the broker, or its disk failed. Run sluice check on"
                        + " the broker's data folder.");
    }

    private void unmap() {
        arena.close(); // whoever kept a slice is told from now on
        mapping.close();
    }

    @Override
    public void close() {
        unmap();
        file.close();
    }
}
