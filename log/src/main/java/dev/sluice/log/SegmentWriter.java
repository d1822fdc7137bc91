package dev.sluice.log;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.lang.foreign.MemorySegment;

/// How bytes get to the end of a segment's file. One interface, several engines.
///
/// A writer owns the end of one file, from its [#end] on; it does not own the descriptor. Everything below the end is
/// whole batches; the file may have blocks reserved beyond its size, never a zero tail within it. Owned by the thread
/// that holds the partition's lock, but for [#flush]. Answers are values ≥ 0 or −errno.
public interface SegmentWriter extends AutoCloseable {
    /// Makes sure that `lengthBytes` more bytes have their place on the disk.
    ///
    /// @return 0, or −errno: −ENOSPC when the disk is full
    long room(long lengthBytes);

    /// Writes whole batches at the end and moves the end behind them. After a failure the end is where it was;
    /// what lies beyond it is overwritten by the next write.
    ///
    /// @param batches native memory; borrowed until the answer
    /// @return the position of the first byte, or −errno
    long write(MemorySegment batches);

    /// The position behind the last byte written.
    long end();

    /// Gives back the blocks reserved beyond the end, and removes what a failed write left there.
    ///
    /// @return 0, or −errno
    long trim();

    /// Waits until everything that was below the end at the call is on the device. May be called by another
    /// thread beside the owner's calls, as long as the file is open. Not called again after it failed: the kernel
    /// tells a loss once.
    ///
    /// @return 0, or −errno
    long flush();

    /// Frees the engine's own memory; trims nothing, flushes nothing.
    @Override
    void close();

    /// The engine by pwrite(2) into the page cache.
    static Engine pwrite() {
        return PwriteSegmentWriter::new;
    }

    /// Makes writers of one kind.
    @FunctionalInterface
    interface Engine {
        /// @param file      the segment's file, open for writing
        /// @param endBytes  where its whole batches end
        /// @param stepBytes the most to reserve ahead of the end at a time; 0 to reserve nothing
        SegmentWriter open(Kernel kernel, Descriptor file, long endBytes, long stepBytes);
    }
}
