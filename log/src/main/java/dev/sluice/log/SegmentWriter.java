package dev.sluice.log;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How bytes get to the end of a segment's file. One interface, several engines.
///
/// A writer owns the end of one file, from its [#end] on; it does not own the descriptor. Everything below the end is
/// whole batches; the file may have blocks reserved beyond its size. Owned by the thread that holds the partition's
/// lock, but for [#flush] and [#inMemory]. Answers are values ≥ 0 or −errno.
///
/// **Engines that write later.** An asynchronous engine's [#write] only takes the bytes; they are in the file when
/// [Progress#written] says so, and nobody may be shown them before.
///
/// **Zeros at the end.** Until the file was trimmed, some engines leave it longer than its batches, see
/// [SegmentScanner].
public interface SegmentWriter extends AutoCloseable {
    /// Makes sure that `lengthBytes` more bytes have their place on the disk.
    ///
    /// @return 0, or −errno: −ENOSPC when the disk is full
    long room(long lengthBytes);

    /// Writes whole batches at the end and moves the end behind them. After a failure the end is where it was;
    /// what lies beyond it is overwritten by the next write.
    ///
    /// @param memory      native; borrowed until the answer
    /// @param from        where in it they begin
    /// @param lengthBytes of all of them
    /// @return the position of the first byte, or −errno: −EAGAIN when the engine has no memory for them now, see
    ///     [Engine#awaitMemory]
    long write(MemorySegment memory, long from, long lengthBytes);

    /// Says that what was written up to the end is published. An asynchronous engine begins to write it.
    ///
    /// @param mark comes back by [Progress#written]
    default void commit(long mark) {}

    /// The position behind the last byte written.
    long end();

    /// Waits for what is not in the file yet, gives back the blocks reserved beyond the end, and removes what else
    /// is there.
    ///
    /// @return 0, or −errno, also of a write that has failed or can't go on for now
    long trim();

    /// Waits until everything that was below the end at the call is on the device. May be called by another
    /// thread beside the owner's calls, as long as the file is open. Not called again after it failed: the kernel
    /// tells a loss once.
    ///
    /// @return 0, or −errno: −EAGAIN when nothing is lost, and the engine itself goes on trying to write;
    ///         −ECANCELED when the writer was closed before all of it was written
    long flush();

    /// Bytes that lie in the engine's memory, for who would rather have them from there. Any thread may ask.
    ///
    /// @return null when they don't, or too much of the memory is with readers already
    default @Nullable InMemory inMemory(long position, long lengthBytes) {
        return null;
    }

    /// Frees the engine's own memory; trims nothing, flushes nothing. What an asynchronous engine has begun to
    /// write comes to its end some time afterwards.
    @Override
    void close();

    /// Bytes of a file that are in memory.
    ///
    /// @param slices one behind the other; they don't change
    /// @param hold   keeps them, released exactly once
    record InMemory(List<MemorySegment> slices, Hold hold) {}

    /// Is told how far an asynchronous engine has come; on the engine's thread.
    interface Progress {
        /// For engines whose [#write] is all there is to wait for.
        Progress NONE = new Progress() {
            @Override
            public void written(long mark) {}

            @Override
            public void grown(long lengthBytes) {}

            @Override
            public void failed(int errno, String what) {}
        };

        /// Everything is in the file that was committed with this mark and before. Called in order, under a
        /// lock of the writer's: takes no lock.
        void written(long mark);

        /// The same, under no lock: who waits for it may be told.
        ///
        /// @param lengthBytes since the last time
        void grown(long lengthBytes);

        /// What was committed behind the last mark is lost, and no write is taken any more.
        ///
        /// @param what was tried, for an operator
        void failed(int errno, String what);
    }

    /// The engine by pwrite(2) into the page cache, which fills files ahead of their ends.
    static Engine pwrite() {
        return pwriteFillingFrom(PageCacheEngine.FILLED_FROM_BYTES);
    }

    /// The same, for who wants to see short files filled too.
    ///
    /// @param fillsFrom the position from which on a file is filled
    static Engine pwriteFillingFrom(long fillsFrom) {
        return new StoppedEngine((kernel, _, _) -> PageCacheEngine.start(kernel, false, fillsFrom), false);
    }

    /// The same by stores into the mapped file, where it was filled.
    static Engine mapped() {
        return new StoppedEngine((kernel, _, _) -> PageCacheEngine.start(kernel, true, 0), false);
    }

    /// The engine by pwrite(2) that fills nothing: a file's size is that of its batches. It need not be started.
    static Engine plain() {
        return (kernel, file, endBytes, stepBytes, _) ->
                new PwriteSegmentWriter(kernel, file, endBytes, stepBytes, MemorySegment.NULL, 0);
    }

    /// The engine by direct I/O, past the page cache. Each data folder has one of its own, with its own pool.
    static Engine direct(DirectOptions options) {
        return new StoppedEngine(
                (kernel, folder, account) -> DirectEngine.start(kernel, folder, account, options), true);
    }

    /// Makes writers of one kind.
    @FunctionalInterface
    interface Engine extends AutoCloseable {
        /// @param file      the segment's file, open for writing
        /// @param endBytes  where its whole batches end
        /// @param stepBytes the most to reserve ahead of the end at a time; 0 to reserve nothing
        /// @param progress  told by an asynchronous engine
        /// @throws ErrnoException when what the engine needs of the file can't be had
        SegmentWriter open(Kernel kernel, Descriptor file, long endBytes, long stepBytes, Progress progress)
                throws ErrnoException;

        /// The engine for one data folder, which closes it.
        ///
        /// @param account parent of its own account
        /// @throws IOException when it can't work there
        default Engine start(Kernel kernel, Path folder, Account account) throws IOException {
            return this;
        }

        /// Whether writes are over later than they return, see [Progress].
        default boolean isAsynchronous() {
            return false;
        }

        /// Whether it leaves the page cache alone, and readers shall too.
        default boolean isPastPageCache() {
            return false;
        }

        /// Whether who dies leaves files behind that end in zeros, as many as it likes, see [SegmentScanner].
        default boolean fillsAhead() {
            return false;
        }

        /// Waits a moment for memory for a write that was answered −EAGAIN.
        ///
        /// @return false when it does not help to wait
        default boolean awaitMemory() {
            return false;
        }

        /// How it works, for a line in the broker's log.
        default String description() {
            return "pwrite";
        }

        /// Ends it, after its writers: waits for writes that are under way.
        @Override
        default void close() {}
    }
}
