package dev.sluice.broker.api;

import dev.sluice.broker.protocol.FetchPlan;
import dev.sluice.broker.protocol.FetchSession;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The fetch sessions of a broker's consumers.
///
/// ```
///   free ──full fetch, epoch 0──▶ IDLE ◀──an incremental fetch begins, ends──▶ IN USE
///    ▲                              │ nothing left to ask for; a full fetch that names it;
///    └──────────────────────────────┘ another needs the room, and it was idle for two minutes
/// ```
///
/// Bounded in number and in the partitions of all together; who gets none is answered without a session, as the
/// protocol allows.
///
/// Thread-safe, as connections go from loop to loop, and consumers from connection to connection. What is in a session
/// belongs to the fetch that is under way, from [#create] or [#use] to [#leave]; going on with one takes no lock.
public final class FetchSessions {
    static final int NO_SESSION = 0;

    /// As in Kafka.
    static final long EVICTED_WHEN_IDLE_MS = 120_000;

    /// Of all sessions together, some 80 bytes each. A session counts with the most it ever had.
    static final int MOST_PARTITIONS = 250_000;

    /// A session, and what its fetches need.
    static final class Entry {
        final FetchSession session;
        final FetchFindings findings = new FetchFindings();

        /// Whether a fetch of it is under way. Who sets it sees what the fetch before has left.
        private final AtomicBoolean inUse = new AtomicBoolean(true);

        private final int slot;

        /// Written by the fetch that is under way.
        private volatile long usedMs;

        /// Written by it too, under the lock of all.
        private int partitions;

        private Entry(FetchSession session, int slot, long nowMs) {
            this.session = session;
            this.slot = slot;
            this.usedMs = nowMs;
        }
    }

    /// Looked up by any thread, changed under the lock of this.
    private final AtomicReferenceArray<@Nullable Entry> entries;

    // Guarded by this.
    private final int[] free;
    private final RandomGenerator random;
    private final long secret;
    private int freeCount;
    private int partitions;

    /// @param slots  the most sessions
    /// @param random for ids that clients don't guess
    public FetchSessions(int slots, RandomGenerator random) {
        this.entries = new AtomicReferenceArray<>(slots);
        this.free = new int[slots];
        this.random = random;
        this.secret = random.nextLong();
        for (int slot = slots - 1; slot >= 0; slot--) {
            free[freeCount++] = slot;
        }
    }

    /// Begins a session, and a fetch of it.
    ///
    /// @return null when there is no room for it
    synchronized @Nullable Entry create(FetchPlan request, long nowMs) {
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
        int rounds = Integer.MAX_VALUE / entries.length() - 1;
        int id = slot + entries.length() * (1 + random.nextInt(rounds));
        Entry entry = new Entry(new FetchSession(id, secret), slot, nowMs);
        entry.session.begin(request);
        entries.set(slot, entry);
        count(entry);
        return entry;
    }

    private boolean evictOne(long nowMs) {
        Entry oldest = null;
        for (int slot = 0; slot < entries.length(); slot++) {
            Entry entry = entries.get(slot);
            if (entry != null && !entry.inUse.get() && (oldest == null || entry.usedMs < oldest.usedMs)) {
                oldest = entry;
            }
        }
        if (oldest == null || nowMs - oldest.usedMs < EVICTED_WHEN_IDLE_MS || !use(oldest)) {
            return false;
        }
        remove(oldest);
        return true;
    }

    @Nullable Entry find(int id) {
        Entry entry = id > 0 && entries.length() > 0 ? entries.get(id % entries.length()) : null;
        return entry != null && entry.session.id() == id ? entry : null;
    }

    /// Begins a fetch of a session.
    ///
    /// @return false when another one is under way, or the session has ended meanwhile
    boolean use(Entry entry) {
        if (!entry.inUse.compareAndSet(false, true)) {
            return false;
        }
        if (entries.get(entry.slot) != entry) {
            leave(entry);
            return false;
        }
        return true;
    }

    /// Ends a fetch of a session.
    void leave(Entry entry) {
        entry.inUse.set(false);
    }

    /// Goes on with a session that is in use.
    ///
    /// @return false when it asks for too much by now, and has ended
    boolean goOn(Entry entry, FetchPlan request, long nowMs) {
        entry.session.goOn(request);
        entry.usedMs = nowMs;
        return entry.session.mostPartitions() == entry.partitions || count(entry);
    }

    private synchronized boolean count(Entry entry) {
        if (entries.get(entry.slot) != entry) {
            return true; // ended meanwhile: counts no more
        }
        int now = entry.session.mostPartitions();
        partitions += now - entry.partitions;
        entry.partitions = now;
        if (partitions > MOST_PARTITIONS) {
            remove(entry);
            return false;
        }
        return true;
    }

    /// Ends a session. A fetch of it that is under way comes to its end.
    synchronized void remove(Entry entry) {
        if (entries.compareAndSet(entry.slot, entry, null)) {
            free[freeCount++] = entry.slot;
            partitions -= entry.partitions;
        }
    }
}
