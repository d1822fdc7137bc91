package dev.sluice.broker.api;

import dev.sluice.broker.protocol.FetchPlan;
import dev.sluice.broker.protocol.FetchSession;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The fetch sessions of the consumers on one loop.
///
/// ```
///   free ──full fetch, epoch 0──▶ IDLE ◀──an incremental fetch begins, ends──▶ IN USE
///    ▲                              │ nothing left to ask for; a full fetch that names it;
///    └──────────────────────────────┘ another needs the room, and it was idle for two minutes
/// ```
///
/// Bounded in number and in the partitions of all together; who gets none is answered without a session, as the
/// protocol allows. A consumer that goes on with its session on a connection of another loop is told that there is no
/// such session, and begins a new one.
///
/// Owned by its loop.
final class FetchSessions {
    static final int NO_SESSION = 0;

    /// As in Kafka.
    static final long EVICTED_WHEN_IDLE_MS = 120_000;

    /// Of all sessions of the loop together, some 80 bytes each. A session counts with the most it ever had.
    static final int MOST_PARTITIONS = 250_000;

    /// A session, and what its fetches need.
    static final class Entry {
        final FetchSession session;
        final FetchFindings findings = new FetchFindings();

        /// Whether a fetch of it is under way.
        boolean inUse;

        private final int slot;
        private long usedMs;
        private int partitions;

        private Entry(FetchSession session, int slot) {
            this.session = session;
            this.slot = slot;
        }
    }

    private final @Nullable Entry[] entries;
    private final int[] free;
    private final RandomGenerator random;
    private final long secret;
    private int freeCount;
    private int partitions;

    /// @param slots  the most sessions
    /// @param random for ids that clients don't guess
    FetchSessions(int slots, RandomGenerator random) {
        this.entries = new Entry[slots];
        this.free = new int[slots];
        this.random = random;
        this.secret = random.nextLong();
        for (int slot = slots - 1; slot >= 0; slot--) {
            free[freeCount++] = slot;
        }
    }

    /// Begins a session.
    ///
    /// @return null when there is no room for it
    @Nullable Entry create(FetchPlan request, long nowMs) {
        if (request.partitionCount() > MOST_PARTITIONS) {
            return null;
        }
        while (request.partitionCount() > MOST_PARTITIONS - partitions || freeCount == 0) {
            if (!evictOne(nowMs)) {
                return null;
            }
        }
        int slot = free[--freeCount];
        // The id tells its slot, is positive, and is another each time.
        int rounds = Integer.MAX_VALUE / entries.length - 1;
        int id = slot + entries.length * (1 + random.nextInt(rounds));
        Entry entry = new Entry(new FetchSession(id, secret), slot);
        entries[slot] = entry;
        entry.session.begin(request);
        entry.usedMs = nowMs;
        count(entry);
        return entry;
    }

    private boolean evictOne(long nowMs) {
        Entry oldest = null;
        for (Entry entry : entries) {
            if (entry != null && !entry.inUse && (oldest == null || entry.usedMs < oldest.usedMs)) {
                oldest = entry;
            }
        }
        if (oldest == null || nowMs - oldest.usedMs < EVICTED_WHEN_IDLE_MS) {
            return false;
        }
        remove(oldest);
        return true;
    }

    @Nullable Entry find(int id) {
        Entry entry = id > 0 && entries.length > 0 ? entries[id % entries.length] : null;
        return entry != null && entry.session.id() == id ? entry : null;
    }

    /// Goes on with a session.
    ///
    /// @return false when it asks for too much by now, and has ended
    boolean goOn(Entry entry, FetchPlan request, long nowMs) {
        entry.session.goOn(request);
        entry.usedMs = nowMs;
        count(entry);
        if (partitions > MOST_PARTITIONS) {
            remove(entry);
            return false;
        }
        return true;
    }

    private void count(Entry entry) {
        int now = entry.session.mostPartitions();
        partitions += now - entry.partitions;
        entry.partitions = now;
    }

    /// Ends a session. A fetch of it that is under way comes to its end.
    void remove(Entry entry) {
        if (entries[entry.slot] == entry) {
            entries[entry.slot] = null;
            free[freeCount++] = entry.slot;
            partitions -= entry.partitions;
        }
    }
}
