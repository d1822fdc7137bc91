package dev.sluice.io.shared;

import java.util.Set;

/// The shape of a pool and whom it may be given to.
///
/// @param bufferBytes size of each buffer: a multiple of 64, so that no two share a cache line; of 4096 where a reader
///                    wants [SharedPoolReaderConfig#withPrivateCopies]
/// @param bufferCount how many. The memory, all of it allocated at once, is the product; the buffers that are sent and
///                    not released bound how far the reader may lag
/// @param otherUids   users that the reader may be beside our own
/// @param spinNs      how long a wait looks again and again before it sleeps: a processor spent for a shorter way
///                    around, and better 0 where there are fewer processors than busy threads
public record SharedPoolConfig(int bufferBytes, int bufferCount, Set<Integer> otherUids, long spinNs) {
    /// The most buffers of a pool: the control memory for them is 1 MiB.
    public static final int MOST_BUFFERS = 1 << 16;

    /// The largest buffer.
    public static final int MOST_BUFFER_BYTES = 1 << 30;
    static final int CACHE_LINE_BYTES = 64;

    /// @throws IllegalArgumentException in a line that says what sizes and counts can be
    public SharedPoolConfig {
        String wrong = wrongShape(bufferBytes, bufferCount);
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(wrong);
        }
        otherUids = Set.copyOf(otherUids);
    }

    /// For processes of our own user, without spinning.
    public SharedPoolConfig(int bufferBytes, int bufferCount) {
        this(bufferBytes, bufferCount, Set.of(), 0);
    }

    /// Whose processes may read beside those of our own user.
    public SharedPoolConfig withOtherUids(Set<Integer> uids) {
        return new SharedPoolConfig(bufferBytes, bufferCount, uids, spinNs);
    }

    /// How long a wait looks again and again before it sleeps, in nanoseconds.
    public SharedPoolConfig withSpinNs(long newSpinNs) {
        return new SharedPoolConfig(bufferBytes, bufferCount, otherUids, newSpinNs);
    }

    /// What is wrong with a pool of this shape, "" when nothing is. Asked by readers too, of what they are offered.
    static String wrongShape(int bufferBytes, int bufferCount) {
        if (bufferBytes < CACHE_LINE_BYTES || bufferBytes > MOST_BUFFER_BYTES || bufferBytes % CACHE_LINE_BYTES != 0) {
            return "A buffer has a multiple of " + CACHE_LINE_BYTES + " bytes, " + MOST_BUFFER_BYTES
                    + " at most, and not " + bufferBytes;
        }
        return bufferCount < 1 || bufferCount > MOST_BUFFERS
                ? "A pool has between 1 and " + MOST_BUFFERS + " buffers, and not " + bufferCount
                : "";
    }

    long dataBytes() {
        return (long) bufferBytes * bufferCount;
    }
}
