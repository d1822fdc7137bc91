package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.MemorySegment;

/// The engines that fill files with zeros ahead of their ends: by [PwriteSegmentWriter], and by
/// [MappedSegmentWriter]. One a data folder.
///
/// @param zeros  what files are filled with: memory that nobody ever writes to, so that all of it is the kernel's one
///     page of zeros. Freed by [#close]
/// @param stores whether it is the mapped one
/// @param fillsFrom the position from which on a file is filled
record PageCacheEngine(Mapping zeros, boolean stores, long fillsFrom) implements SegmentWriter.Engine {
    /// What a file holds before [PwriteSegmentWriter] fills it: thousands of partitions with a few records each
    /// shall not have page cache, and disk, for zeros.
    static final long FILLED_FROM_BYTES = 128 << 10;

    static PageCacheEngine start(Kernel kernel, boolean stores, long fillsFrom) throws ErrnoException {
        return new PageCacheEngine(Mapping.reserve(kernel, PwriteSegmentWriter.LARGEST_FILL_BYTES), stores, fillsFrom);
    }

    @Override
    public SegmentWriter open(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress) {
        MemorySegment bytes = zeros.segment().asReadOnly();
        return stores
                ? new MappedSegmentWriter(kernel, file, endBytes, stepBytes, bytes, fillsFrom)
                : new PwriteSegmentWriter(kernel, file, endBytes, stepBytes, bytes, fillsFrom);
    }

    @Override
    public boolean fillsAhead() {
        return true;
    }

    @Override
    public String description() {
        return stores ? "mapped" : "pwrite";
    }

    @Override
    public void close() {
        zeros.close();
    }
}
