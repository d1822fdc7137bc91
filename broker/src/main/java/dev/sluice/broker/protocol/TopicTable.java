package dev.sluice.broker.protocol;

import java.util.Arrays;

/// Topics in the order of a request, by name or by id, each with a run of the request's partitions. Grows, and is
/// reused; owned by one thread.
final class TopicTable {
    /// Arrays that grew beyond this are dropped by [#clear].
    private static final int KEPT = 256;

    private String[] names = {};
    private long[] idsHigh = {};
    private long[] idsLow = {};
    private int[] ends = {};
    private int count;

    void add(String name, long idHigh, long idLow) {
        if (count == names.length) {
            int length = Math.max(4, count * 2);
            names = Arrays.copyOf(names, length);
            idsHigh = Arrays.copyOf(idsHigh, length);
            idsLow = Arrays.copyOf(idsLow, length);
            ends = Arrays.copyOf(ends, length);
        }
        names[count] = name;
        idsHigh[count] = idHigh;
        idsLow[count] = idLow;
        count++;
    }

    /// Says where the partitions of the topic that was added last end.
    void close(int partitionEnd) {
        ends[count - 1] = partitionEnd;
    }

    /// Says anew which partitions the topics have, some of which are gone: topic `from` becomes topic `to`, which
    /// is not behind it.
    void move(int from, int to, int partitionEnd) {
        names[to] = names[from];
        idsHigh[to] = idsHigh[from];
        idsLow[to] = idsLow[from];
        ends[to] = partitionEnd;
    }

    /// Drops the last ones.
    void truncate(int newCount) {
        Arrays.fill(names, newCount, count, null);
        count = newCount;
    }

    void clear() {
        if (names.length > KEPT) {
            names = new String[0];
            idsHigh = new long[0];
            idsLow = new long[0];
            ends = new int[0];
        } else {
            Arrays.fill(names, 0, count, null);
        }
        count = 0;
    }

    /// For tests: how many topics fit without growing.
    int capacity() {
        return names.length;
    }

    int count() {
        return count;
    }

    String name(int topic) {
        return names[check(topic)];
    }

    long idHigh(int topic) {
        return idsHigh[check(topic)];
    }

    long idLow(int topic) {
        return idsLow[check(topic)];
    }

    int first(int topic) {
        return topic == 0 ? 0 : ends[check(topic) - 1];
    }

    int end(int topic) {
        return ends[check(topic)];
    }

    private int check(int topic) {
        assert topic >= 0 && topic < count : "topic " + topic + " of " + count;
        return topic;
    }
}
