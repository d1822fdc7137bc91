package dev.sluice.broker.api;

import dev.sluice.broker.net.DiskStall;
import dev.sluice.broker.net.NetworkLoop;
import dev.sluice.broker.net.Request;
import dev.sluice.broker.partition.Partition;
import dev.sluice.log.BatchGroup;
import dev.sluice.log.BatchView;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Small batches that several connections of one loop produce to one partition within one turn of the loop.
///
/// ```
///   the turn's first for its partition ──▶ appended at once
///   those behind it ──copied──▶ the partition's group ──end of the turn──▶ appended by one write ──▶ each answered
///                                                │                          ▲
///                                                └──▶ WAITS FOR THE DISK ───┘   when that has stalled meanwhile
/// ```
///
/// One write instead of many saves most of what they cost, and who writes them takes the partition's lock once. It is
/// not waited for: what has come together anyway goes together. A batch that comes alone, or behind others on its own
/// connection, whose answers are sent together, is left where it is.
///
/// Owned by its loop. While a group is being written another thread may go on with the loop; a group that is being
/// written is nobody else's.
final class ProduceGroups {
    /// Larger ones cost more to copy than is saved.
    static final int LARGEST_BATCH_BYTES = 4 << 10;

    /// Partitions that are remembered of a turn. Where more are written to, few get several batches.
    private static final int SEEN = 8;

    private final NetworkLoop loop;
    private final ArrayDeque<Group> free = new ArrayDeque<>(1);

    /// Those that take more.
    private final List<Group> open = new ArrayList<>(SEEN);

    // Partitions that got a batch in this turn, and from whom.
    private final @Nullable Partition[] seen = new Partition[SEEN];
    private final @Nullable Request[] seenFrom = new Request[SEEN];
    private long seenTurn;
    private int seenCount;

    ProduceGroups(NetworkLoop loop) {
        this.loop = loop;
    }

    /// Leaves a batch to a group, if there is company for it.
    ///
    /// @param batch checked and admitted; copied
    /// @param left  told what has become of it, on the loop, once this has answered true
    /// @return false when it is to be appended now
    boolean take(Partition partition, BatchView batch, Request request, LeftBatch left) {
        if (batch.lengthBytes() > LARGEST_BATCH_BYTES || !request.isAlone() || !hasCompany(partition, request)) {
            return false;
        }
        Group group = openFor(partition);
        if (!group.batches.add(batch)) {
            open.remove(group);
            group = begin(partition);
            group.batches.add(batch);
        }
        group.left.add(left);
        return true;
    }

    /// Whether somebody else has sent a batch to this partition in this turn.
    private boolean hasCompany(Partition partition, Request request) {
        long turn = loop.loop().turn();
        if (turn != seenTurn) {
            seenTurn = turn;
            Arrays.fill(seen, null);
            Arrays.fill(seenFrom, null);
            seenCount = 0;
        }
        int known = Math.min(seenCount, SEEN);
        for (int i = 0; i < known; i++) {
            if (seen[i] == partition) {
                return seenFrom[i] != request;
            }
        }
        int place = seenCount++ % SEEN;
        seen[place] = partition;
        seenFrom[place] = request;
        return false;
    }

    private Group openFor(Partition partition) {
        for (Group group : open) {
            if (group.partition == partition) {
                return group;
            }
        }
        return begin(partition);
    }

    private Group begin(Partition partition) {
        Group group = free.pollLast();
        if (group == null) {
            group = new Group();
        }
        group.partition = partition;
        open.add(group);
        loop.loop().defer(group);
        return group;
    }

    private final class Group implements Runnable, DiskStall.Waiter {
        private final BatchGroup batches = new BatchGroup();
        private final List<LeftBatch> left = new ArrayList<>(BatchGroup.MOST_BATCHES);
        private @Nullable Partition partition;

        /// At the end of the turn.
        @Override
        public void run() {
            open.remove(this);
            boolean stalled = loop.disk().isStalled(); // since the turn began, for then they had waited themselves
            if (stalled && !loop.isDraining()) {
                loop.awaitDisk(this);
                left.forEach(each -> each.awaitDisk(this::giveUp));
                return;
            }
            Throwable thrown = stalled ? null : append();
            for (int i = 0; i < left.size(); i++) {
                left.get(i).settled(batches.outcome(i), batches.batch(i), thrown);
            }
            left.clear();
            batches.clear();
            partition = null;
            free.addLast(this);
        }

        @Override
        public void diskGoesOn() {
            left.forEach(LeftBatch::diskGoesOn);
            loop.loop().defer(this);
        }

        /// A request can't wait for the disk any longer: its batch goes no further.
        private void giveUp(LeftBatch over) {
            int index = left.indexOf(over);
            left.remove(index);
            batches.remove(index);
            over.settled(null, null, null);
        }

        private @Nullable Throwable append() {
            Partition to = partition;
            long began = loop.loop().away();
            try {
                if (to != null) {
                    to.append(batches);
                }
                return null;
            } catch (RuntimeException | Error e) {
                return e; // told to all, whose connections end with it
            } finally {
                loop.loop().back(began);
            }
        }
    }
}
