package dev.sluice.broker.protocol;

import java.util.Arrays;
import java.util.BitSet;

/// What a consumer goes on asking for without saying it again (KIP-227), and what it was told last: an answer leaves
/// out the partitions of which there is nothing new.
///
/// A session names topics by id. Its memory grows with the partitions that the consumer asks for, about 60 bytes each,
/// and is used again for every request. Owned by the fetch that is under way.
public final class FetchSession {
    private static final int FEW = 16;

    /// Of what no answer has told yet.
    private static final long NOT_TOLD = -2;

    private final int id;
    private final FetchPlan plan = new FetchPlan();
    private final PartitionTable table;
    private int epoch = 1;
    private int start;
    private int mostPartitions;

    // By the plan's numbers of partitions.
    private long[] toldEnd = new long[FEW];
    private long[] toldStart = new long[FEW];

    /// @param seed not to be guessed by clients, whose ids of topics are spread by it
    public FetchSession(int id, long seed) {
        this.id = id;
        this.table = new PartitionTable(plan, seed);
    }

    public int id() {
        return id;
    }

    /// The epoch that the next request has.
    public int epoch() {
        return epoch;
    }

    /// What is asked for: the head of the last request, and the partitions of all.
    public FetchPlan plan() {
        return plan;
    }

    /// The most partitions that it ever had: its memory is that of so many, for nothing of it shrinks.
    public int mostPartitions() {
        return mostPartitions;
    }

    /// The partition to begin with, so that none starves when an answer is full.
    public int start() {
        return start < plan.partitionCount() ? start : 0;
    }

    /// The next answer begins behind this partition, which got the last of the room.
    public void startBehind(int partition) {
        start = partition + 1;
    }

    /// Begins with what the first request asks for.
    public void begin(FetchPlan request) {
        plan.takeHead(request);
        update(request);
    }

    /// Goes on with what a request says has changed.
    public void goOn(FetchPlan request) {
        epoch = epoch == Integer.MAX_VALUE ? 1 : epoch + 1;
        plan.takeHead(request);
        update(request);
        forget(request);
    }

    private void update(FetchPlan request) {
        for (int t = 0; t < request.topicCount(); t++) {
            long high = request.topicIdHigh(t);
            long low = request.topicIdLow(t);
            for (int p = request.firstPartition(t); p < request.endPartition(t); p++) {
                int known = table.find(high, low, request.partitionIndex(p));
                if (known >= 0) {
                    plan.set(known, request, p);
                } else {
                    add(request, t, p);
                }
            }
        }
        mostPartitions = Math.max(mostPartitions, plan.partitionCount());
    }

    private void add(FetchPlan request, int topic, int partition) {
        int added = plan.partitionCount();
        if (added == toldEnd.length) {
            toldEnd = Arrays.copyOf(toldEnd, added * 2);
            toldStart = Arrays.copyOf(toldStart, added * 2);
        }
        plan.append(request, topic, partition);
        toldEnd[added] = NOT_TOLD;
        toldStart[added] = NOT_TOLD;
        table.add(request.topicIdHigh(topic), request.topicIdLow(topic), added);
    }

    private void forget(FetchPlan request) {
        if (request.forgottenTopicCount() == 0) {
            return;
        }
        BitSet gone = new BitSet(plan.partitionCount());
        for (int t = 0; t < request.forgottenTopicCount(); t++) {
            for (int p = request.firstForgottenPartition(t); p < request.endForgottenPartition(t); p++) {
                int known = table.find(
                        request.forgottenTopicIdHigh(t),
                        request.forgottenTopicIdLow(t),
                        request.forgottenPartitionIndex(p));
                if (known >= 0) {
                    gone.set(known);
                }
            }
        }
        if (!gone.isEmpty()) {
            remove(gone);
        }
    }

    private void remove(BitSet gone) {
        TopicTable topics = plan.topics;
        int topicsKept = 0;
        int kept = 0;
        int first = 0;
        for (int t = 0; t < topics.count(); t++) {
            int end = topics.end(t);
            int before = kept;
            for (int p = first; p < end; p++) {
                if (!gone.get(p)) {
                    plan.set(kept, plan, p);
                    toldEnd[kept] = toldEnd[p];
                    toldStart[kept] = toldStart[p];
                    kept++;
                }
            }
            first = end;
            if (kept > before) {
                topics.move(t, topicsKept++, kept);
            }
        }
        topics.truncate(topicsKept);
        plan.partitionCount = kept;
        table.rebuild();
    }

    /// Whether an answer has to tell of a partition without records and without an error.
    public boolean isNew(int partition, long endOffset, long startOffset) {
        return toldEnd[partition] != endOffset || toldStart[partition] != startOffset;
    }

    public void told(int partition, long endOffset, long startOffset) {
        toldEnd[partition] = endOffset;
        toldStart[partition] = startOffset;
    }

    /// An error was told: that it is over is news.
    public void toldError(int partition) {
        told(partition, NOT_TOLD, NOT_TOLD);
    }
}
