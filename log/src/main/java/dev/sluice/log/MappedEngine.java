package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// The engine that stores small batches into the mapped segment, see [MappedSegmentWriter]. One a data folder.
///
/// @param zeros what files are filled with ahead of their ends: memory that nobody ever writes to, so that all of it is
///     the kernel's one page of zeros. Freed by [#close]
record MappedEngine(Mapping zeros) implements SegmentWriter.Engine {
    /// Before it is started for a folder.
    record Stopped() implements SegmentWriter.Engine {
        @Override
        public SegmentWriter open(
                Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress) {
            throw new IllegalStateException("the mapped engine is started for a folder first");
        }

        @Override
        public SegmentWriter.Engine start(Kernel kernel, Path folder, Account account) throws ErrnoException {
            return new MappedEngine(Mapping.reserve(kernel, MappedSegmentWriter.LARGEST_FILL_BYTES));
        }
    }

    @Override
    public SegmentWriter open(
            Kernel kernel, Descriptor file, long endBytes, long stepBytes, SegmentWriter.Progress progress) {
        MemorySegment bytes = zeros.segment().asReadOnly();
        return new MappedSegmentWriter(kernel, file, endBytes, stepBytes, bytes);
    }

    @Override
    public boolean fillsAhead() {
        return true;
    }

    @Override
    public String description() {
        return "mapped";
    }

    @Override
    public void close() {
        zeros.close();
    }
}
