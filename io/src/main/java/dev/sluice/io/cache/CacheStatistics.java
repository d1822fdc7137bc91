package dev.sluice.io.cache;

/// What a [BlockCache] has done since it was opened. Counted, not sampled.
///
/// @param hits          blocks that were there when a reader or writer wanted them, those read ahead included
/// @param misses        blocks that a reader or writer had to wait for
/// @param readAhead     blocks that were read before anybody asked
/// @param evictions     blocks that gave way to others
/// @param written       blocks written out
/// @param waitsForRoom  writes that waited because too much was dirty
/// @param dirtyBytes    what is not on disk yet
public record CacheStatistics(
        long hits, long misses, long readAhead, long evictions, long written, long waitsForRoom, long dirtyBytes) {
    /// The share of wanted blocks that were there, 0 to 1; NaN when none was wanted.
    public double hitRate() {
        return (double) hits / (hits + misses);
    }

    /// What was done after an earlier look.
    public CacheStatistics since(CacheStatistics earlier) {
        return new CacheStatistics(
                hits - earlier.hits,
                misses - earlier.misses,
                readAhead - earlier.readAhead,
                evictions - earlier.evictions,
                written - earlier.written,
                waitsForRoom - earlier.waitsForRoom,
                dirtyBytes);
    }
}
