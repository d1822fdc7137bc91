package dev.sluice.io.cache;

/// Finds out which reads of a file are sequential, for up to four readers that take turns, and how far to read ahead of
/// each.
///
/// A read that begins where a stream's last one ended goes on with it, and its window doubles, up to the most; any
/// other read takes over the stream that was used longest ago, with no window. So a random reader reads nothing ahead,
/// and a sequential one has its disk busy from its second read on. The file's beginning counts as a place where one
/// ended.
///
/// Owned by the cache's thread.
final class ReadStreams {
    private static final int STREAMS = 4;

    private final int mostBlocks;
    private final long[] ends = new long[STREAMS];
    private final int[] windows = new int[STREAMS];
    /// Blocks before this one were read ahead already.
    private final long[] aheadOf = new long[STREAMS];

    private final long[] usedAt = new long[STREAMS];
    private long uses;

    /// @param mostBlocks the largest window
    ReadStreams(int mostBlocks) {
        this.mostBlocks = mostBlocks;
    }

    /// Tells of a read, before it is done.
    ///
    /// @return the stream that it belongs to
    int tell(long position, long lengthBytes) {
        int stream = 0;
        for (int i = 0; i < STREAMS; i++) {
            if (ends[i] == position) {
                stream = i;
                break;
            }
            if (usedAt[i] < usedAt[stream]) {
                stream = i;
            }
        }
        boolean goesOn = ends[stream] == position;
        windows[stream] = goesOn ? Math.min(Math.max(windows[stream] * 2, 2), mostBlocks) : 0;
        if (!goesOn) {
            aheadOf[stream] = 0;
        }
        ends[stream] = position + lengthBytes;
        usedAt[stream] = ++uses;
        return stream;
    }

    /// Whether somebody's sequential read ended exactly here, so that a read from here on goes on with it.
    boolean endsAt(long position) {
        for (long end : ends) {
            if (end == position && position > 0) {
                return true;
            }
        }
        return false;
    }

    /// The first block to read ahead, after the stream's reader has reached `block`.
    long aheadFrom(int stream, long block) {
        return Math.max(block + 1, aheadOf[stream]);
    }

    /// The last block to read ahead, or less than [#aheadFrom] for none now: half a window is let run down, so that
    /// blocks are asked for in batches.
    long aheadTo(int stream, long block) {
        int window = windows[stream];
        long left = aheadOf[stream] - block - 1;
        return window == 0 || left > window / 2 ? -1 : block + window;
    }

    /// Blocks before `block` are on their way.
    void ahead(int stream, long block) {
        aheadOf[stream] = block;
    }
}
