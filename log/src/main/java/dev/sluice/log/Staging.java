package dev.sluice.log;

import dev.sluice.io.async.PoolBuffer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The newest bytes of one file in buffers of a pool, laid out so that whole blocks can be written from where they lie.
///
/// A *run* is a piece of the file in one buffer; it begins with a block. Runs follow each other in the file, and only
/// the last one's last block can be filled in part. While that block is on its way to the disk nothing in it may change
/// (devices and file systems that compute checksums read it twice), so what comes meanwhile goes to a new run that
/// begins with a copy of it:
///
/// ```
///  buffer   | run 1: blocks ────── | last block, in flight | run 2: the same bytes, then new ones ── … |
///  file     ────────────────────────┴─────────────────────────────────────────▶
/// ```
///
/// Buffers are taken away when others need them, the oldest first; of the last block, whose bytes are written again
/// with those that follow, a copy on the heap stays. Guarded by the writer's monitor. Each run has a reference on its
/// buffer.
final class Staging {
    /// What is written is a multiple of it, at multiples of it: a page, the usual block of file systems, which
    /// would read the rest of one that is written in part. A multiple of the sectors of disks.
    static final int BLOCK_BYTES = 4096;

    private final List<Run> runs = new ArrayList<>();
    private long end;
    /// The bytes of the last block, where no run has them.
    private byte[] tail;

    private static final class Run {
        final PoolBuffer buffer;
        final int bufferPosition;
        final long position;
        int lengthBytes;

        Run(PoolBuffer buffer, int bufferPosition, long position, int lengthBytes) {
            this.buffer = buffer;
            this.bufferPosition = bufferPosition;
            this.position = position;
            this.lengthBytes = lengthBytes;
        }

        long end() {
            return position + lengthBytes;
        }

        int roomBytes() {
            return buffer.pool().bufferBytes() - bufferPosition - lengthBytes;
        }

        MemorySegment slice(long from, long to) {
            return buffer.slice(bufferPosition + from - position, to - from);
        }
    }

    /// Whole blocks to be written.
    ///
    /// @param position of the file
    record Piece(PoolBuffer buffer, int bufferPosition, int lengthBytes, long position) {}

    /// What became of an attempt to take a buffer away.
    enum Eviction {
        DONE,
        /// It has bytes that are not written.
        NEEDED,
        /// It was let go of already.
        GONE
    }

    /// @param end  of the file
    /// @param tail what the file's last block holds below the end
    Staging(long end, byte[] tail) {
        this.end = end;
        this.tail = tail;
    }

    long end() {
        return end;
    }

    static int tailBytes(long position) {
        return (int) (position & BLOCK_BYTES - 1);
    }

    static long down(long position) {
        return position & -BLOCK_BYTES;
    }

    private static int up(int lengthBytes) {
        return lengthBytes + BLOCK_BYTES - 1 & -BLOCK_BYTES;
    }

    // ---- Taking bytes

    /// The run that ends where the file does, or null.
    private @Nullable Run lastRun() {
        Run last = runs.isEmpty() ? null : runs.getLast();
        return last != null && last.end() == end ? last : null;
    }

    /// Buffers that [#append] will need.
    ///
    /// @param inFlightEnd up to where bytes are on their way to the disk; 0 for none
    int buffersNeeded(long lengthBytes, long inFlightEnd, int bufferBytes) {
        Run last = lastRun();
        int carried = 0;
        long room = last == null ? 0 : last.roomBytes();
        if (last == null) {
            carried = tailBytes(end);
        } else if (mustMove(inFlightEnd)) {
            int next = last.bufferPosition + up(last.lengthBytes);
            carried = next < bufferBytes ? 0 : tailBytes(end);
            room = next < bufferBytes ? bufferBytes - next - tailBytes(end) : 0;
        }
        long rest = lengthBytes - room;
        return rest <= 0 ? 0 : Math.toIntExact((rest + carried + bufferBytes - 1) / bufferBytes);
    }

    private boolean mustMove(long inFlightEnd) {
        return inFlightEnd > down(end);
    }

    /// Copies bytes to the end: the one copy that the processor makes of them on their way to the disk.
    ///
    /// @param spare at least as many buffers as [#buffersNeeded] said, each with one reference; what is used is
    ///     removed, from the front
    void append(MemorySegment bytes, long inFlightEnd, ArrayDeque<PoolBuffer> spare) {
        long done = 0;
        while (done < bytes.byteSize()) {
            Run run = writableRun(done == 0 ? inFlightEnd : 0, spare);
            int count = (int) Math.min(run.roomBytes(), bytes.byteSize() - done);
            MemorySegment.copy(bytes, done, run.buffer.segment(), (long) run.bufferPosition + run.lengthBytes, count);
            run.lengthBytes += count;
            end += count;
            done += count;
        }
    }

    private Run writableRun(long inFlightEnd, ArrayDeque<PoolBuffer> spare) {
        Run last = lastRun();
        if (last != null && !mustMove(inFlightEnd)) {
            return last.roomBytes() > 0 ? last : add(new Run(spare.remove(), 0, end, 0));
        }
        int carried = tailBytes(end);
        long base = end - carried;
        if (last == null) {
            Run run = new Run(spare.remove(), 0, base, carried);
            MemorySegment.copy(MemorySegment.ofArray(tail), 0, run.buffer.segment(), 0, carried);
            return add(run);
        }
        int next = last.bufferPosition + up(last.lengthBytes);
        boolean fits = next < last.buffer.pool().bufferBytes();
        Run run = new Run(fits ? last.buffer.retain() : spare.remove(), fits ? next : 0, base, carried);
        MemorySegment.copy(last.slice(base, end), 0, run.buffer.segment(), run.bufferPosition, carried);
        last.lengthBytes = (int) (base - last.position);
        if (last.lengthBytes == 0) {
            runs.removeLast();
            last.buffer.release(); // the write that is under way has a reference of its own
        }
        return add(run);
    }

    private Run add(Run run) {
        runs.add(run);
        return run;
    }

    // ---- Giving them to the disk

    /// The blocks from the one that `from` lies in to the end, the last one filled up with zeros.
    List<Piece> pieces(long from) {
        List<Piece> pieces = new ArrayList<>();
        long at = down(from);
        for (int i = floor(at); i < runs.size(); i++) {
            Run run = runs.get(i);
            int length = up((int) (run.end() - at));
            run.buffer
                    .slice(run.bufferPosition + run.lengthBytes, up(run.lengthBytes) - run.lengthBytes)
                    .fill((byte) 0);
            pieces.add(new Piece(run.buffer, (int) (run.bufferPosition + at - run.position), length, at));
            at = run.end();
        }
        return pieces;
    }

    // ---- Giving them to readers

    /// The range in memory, each slice with one more reference on its buffer in `held`; or null when a part of it
    /// is not there.
    @Nullable List<MemorySegment> slices(long position, long lengthBytes, List<PoolBuffer> held) {
        int first = floor(position);
        if (first < 0) {
            return null;
        }
        List<MemorySegment> slices = new ArrayList<>(2);
        long to = position + lengthBytes;
        long at = position;
        for (int i = first; at < to; i++) {
            Run run = i < runs.size() ? runs.get(i) : null;
            if (run == null || at < run.position || at >= run.end()) {
                return null; // taken away
            }
            long until = Math.min(to, run.end());
            slices.add(run.slice(at, until));
            held.add(run.buffer);
            at = until;
        }
        held.forEach(PoolBuffer::retain);
        return slices;
    }

    /// The index of the last run that begins at or before `position`, or -1.
    private int floor(long position) {
        int low = -1;
        int high = runs.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (runs.get(middle).position <= position) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    // ---- Letting go of them

    /// Lets go of a buffer, if all in it is written.
    Eviction evict(PoolBuffer buffer, long writtenEnd) {
        long neededFrom = writtenEnd < end ? down(writtenEnd) : Long.MAX_VALUE;
        boolean found = false;
        for (Run run : runs) {
            if (run.buffer == buffer) {
                found = true;
                if (run.end() > neededFrom) {
                    return Eviction.NEEDED;
                }
            }
        }
        if (!found) {
            return Eviction.GONE;
        }
        Run last = lastRun();
        if (last != null && last.buffer == buffer) {
            byte[] kept = new byte[tailBytes(end)];
            MemorySegment.copy(last.slice(down(end), end), 0, MemorySegment.ofArray(kept), 0, kept.length);
            tail = kept;
        }
        runs.removeIf(run -> run.buffer == buffer && released(run));
        return Eviction.DONE;
    }

    private static boolean released(Run run) {
        Objects.requireNonNull(run).buffer.release();
        return true;
    }

    /// Lets go of everything; nothing can be appended any more.
    void release() {
        runs.forEach(run -> run.buffer.release());
        runs.clear();
        tail = new byte[0];
    }
}
