package dev.sluice.io.cache;

/// How large a [BlockCache] is, and how long it may keep what is not on disk.
///
/// The defaults of [#of] are a start: a quarter of the cache for delayed writes leaves three quarters to evict from at
/// any time; a read-ahead of an eighth, 1 MiB at most, keeps a disk busy without pushing out much that is read again.
///
/// @param blocks         how many blocks it holds; each is a buffer of the pool
/// @param dirtyBytes     how much may wait to be written, what is being written included. A write that would go above
///     waits; from half of it on the oldest are written out meanwhile
/// @param dirtyAgeNs     how long a changed block may wait before it is written out
/// @param readAheadBytes how far ahead of a sequential reader blocks are read; 0 for not at all
public record CacheConfig(int blocks, long dirtyBytes, long dirtyAgeNs, long readAheadBytes) {
    private static final int FEWEST_BLOCKS = 8;
    private static final long READ_AHEAD_BYTES = 1 << 20;
    private static final long DIRTY_AGE_NS = 1_000_000_000L;

    /// @throws IllegalArgumentException when there are too few blocks, or a number is negative
    public CacheConfig {
        if (blocks < FEWEST_BLOCKS) {
            throw new IllegalArgumentException("A cache has " + FEWEST_BLOCKS + " blocks at least, not " + blocks);
        }
        if (dirtyBytes < 0 || dirtyAgeNs < 0 || readAheadBytes < 0) {
            throw new IllegalArgumentException("Bytes and times of a cache are not negative");
        }
    }

    /// A cache of `blocks` blocks of `blockBytes` with the defaults above; changed blocks wait a second.
    public static CacheConfig of(int blocks, int blockBytes) {
        long bytes = (long) blocks * blockBytes;
        return new CacheConfig(blocks, bytes / 4, DIRTY_AGE_NS, Math.min(bytes / 8, READ_AHEAD_BYTES));
    }
}
