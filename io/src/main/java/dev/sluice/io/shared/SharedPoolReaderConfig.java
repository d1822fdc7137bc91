package dev.sluice.io.shared;

import java.util.Set;

/// What a reader accepts.
///
/// @param mostBytes        of memory that a pool may make us map
/// @param hasPrivateCopies whether we may write into what we received: into copies of its pages that nobody else sees
/// @param otherUids        users that the pool's owner may be beside our own
/// @param spinNs           how long a wait looks again and again before it sleeps; see [SharedPoolConfig#spinNs]
public record SharedPoolReaderConfig(long mostBytes, boolean hasPrivateCopies, Set<Integer> otherUids, long spinNs) {
    /// 1 GiB of memory of our own user, read-only, without spinning.
    public static final SharedPoolReaderConfig DEFAULT = new SharedPoolReaderConfig(1L << 30, false, Set.of(), 0);

    /// Keeps a copy of the set of users.
    public SharedPoolReaderConfig {
        otherUids = Set.copyOf(otherUids);
    }

    /// The most memory, in bytes, that a pool may offer.
    public SharedPoolReaderConfig withMostBytes(long bytes) {
        return new SharedPoolReaderConfig(bytes, hasPrivateCopies, otherUids, spinNs);
    }

    /// Copy on write: [SharedBuffer#memory] can be written. The first store into a page copies it; the writer of
    /// the pool never sees it, and [SharedPoolReader#release] drops the copies and counts them. Buffers must be
    /// whole pages.
    public SharedPoolReaderConfig withPrivateCopies() {
        return new SharedPoolReaderConfig(mostBytes, true, otherUids, spinNs);
    }

    /// Whose pools are taken beside those of our own user.
    public SharedPoolReaderConfig withOtherUids(Set<Integer> uids) {
        return new SharedPoolReaderConfig(mostBytes, hasPrivateCopies, uids, spinNs);
    }

    /// How long a wait looks again and again before it sleeps, in nanoseconds.
    public SharedPoolReaderConfig withSpinNs(long newSpinNs) {
        return new SharedPoolReaderConfig(mostBytes, hasPrivateCopies, otherUids, newSpinNs);
    }
}
