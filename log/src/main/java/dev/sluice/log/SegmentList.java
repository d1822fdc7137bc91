package dev.sluice.log;

import java.util.Arrays;

/// The segments of one log by base offset: at least one, of which the last, the active one, is appended to.
///
/// Changed under the log's lock; any thread reads, without it. The array is never changed but replaced, so whoever took
/// it goes on with what was true then.
final class SegmentList {
    private volatile Segment[] all;

    /// @param all at least one; taken over
    SegmentList(Segment[] all) {
        this.all = all;
    }

    /// All of them; not to be changed.
    Segment[] all() {
        return all;
    }

    Segment first() {
        return all[0];
    }

    Segment active() {
        Segment[] now = all;
        return now[now.length - 1];
    }

    /// The end of what is published.
    End end() {
        Segment active = active();
        return new End(active, active.published());
    }

    /// Read with acquire order: everything below it can be read.
    long endOffset() {
        Segment active = active();
        return active.endOffset(active.published());
    }

    /// The index of the last segment that begins at or below `offset`, or 0.
    static int floor(Segment[] all, long offset) {
        int low = 0;
        int high = all.length - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (all[middle].baseOffset() <= offset) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        return low;
    }

    /// The bytes of all batches.
    long bytes() {
        long bytes = 0;
        for (Segment segment : all) {
            bytes += Segment.endPosition(segment.published());
        }
        return bytes;
    }

    long bytesBetween(End from, End to) {
        if (from.segment() == to.segment()) {
            return (long) to.position() - from.position();
        }
        long bytes = (long) Segment.endPosition(from.segment().published()) - from.position() + to.position();
        for (Segment segment : all) {
            if (segment.baseOffset() > from.segment().baseOffset()
                    && segment.baseOffset() < to.segment().baseOffset()) {
                bytes += Segment.endPosition(segment.published());
            }
        }
        return bytes;
    }

    // ---- Under the log's lock

    /// Makes `next` the active one.
    void add(Segment next) {
        Segment[] more = Arrays.copyOf(all, all.length + 1);
        more[more.length - 1] = next;
        all = more;
    }

    /// Takes those out that hold nothing from `start` on, but never the active one; readers find them no more.
    Segment[] takeBelow(long start) {
        Segment[] now = all;
        int count = 0;
        while (count + 1 < now.length && now[count + 1].baseOffset() <= start) {
            count++;
        }
        if (count > 0) {
            all = Arrays.copyOfRange(now, count, now.length);
        }
        return Arrays.copyOf(now, count);
    }
}
