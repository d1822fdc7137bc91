package dev.sluice.log;

import dev.sluice.io.async.QueueConfig;

/// What the direct engine is made like.
///
/// @param poolBytes of memory, pinned where that is allowed: what is on its way to the disk, and the newest bytes of
///     all partitions for those who read them; whole [#BUFFER_BYTES], at least [#LEAST_POOL_BYTES]
/// @param queue     io_uring, threads, or the best there is
public record DirectOptions(long poolBytes, QueueConfig.Engine queue) {
    /// A partition that is being written to has at least one such buffer. Large enough that the calls of a write
    /// don't count, small enough for hundreds of partitions in a pool.
    public static final int BUFFER_BYTES = 256 << 10;

    /// The smallest pool.
    public static final long LEAST_POOL_BYTES = 16 * BUFFER_BYTES;
    /// The largest pool.
    public static final long MOST_POOL_BYTES = 1L << 30;
    /// 64 MiB: a buffer for each of 256 partitions that are written to at a time.
    public static final long DEFAULT_POOL_BYTES = 64 << 20;

    /// @throws IllegalArgumentException when the pool is too small or too large
    public DirectOptions {
        if (poolBytes < LEAST_POOL_BYTES || poolBytes > MOST_POOL_BYTES) {
            throw new IllegalArgumentException("The direct engine's pool has " + LEAST_POOL_BYTES + " to "
                    + MOST_POOL_BYTES + " bytes; not " + poolBytes);
        }
    }

    int buffers() {
        return (int) (poolBytes / BUFFER_BYTES);
    }
}
