package dev.sluice.broker.api;

import java.util.Arrays;

/// Whether keys that a peer has chosen can be put into one of kafka-clients' collections in reasonable time.
///
/// Many messages keep their elements in an `ImplicitLinkedHashCollection`, a hash table with linear probing and the
/// keys' plain hash codes. With n keys that fall onto one slot adding takes n² steps; and when the table grows, each is
/// removed by moving all those behind it, n³ steps: 2,500 equal names, in a request of 42 KiB, kept a thread busy for
/// 41 seconds. So the hash codes are put into a table of as many slots here first, which stops when it becomes dear.
final class Collisions {
    /// Steps to find the keys' slots that are allowed, some 20 ms of them. 10,000 names such as "orders-123" take
    /// 28,000.
    private static final long MOST_PROBES = 20_000_000;

    /// Steps to grow that are allowed, less than a second of them. 10,000 keys in neighbouring slots, as the
    /// numbers of a topic's partitions are, take 100 million; as many ordinary names less than one.
    private static final long MOST_GROWTH_STEPS = 150_000_000;

    /// So few keys are cheap whatever they are.
    private static final int FEW = 64;

    private Collisions() {}

    /// Whether kafka-clients' reader can add so many keys to the collection that it makes for their number, and
    /// which then grows once.
    static boolean areCheapToRead(int[] hashes, int count) {
        return count <= FEW
                || (areCheap(hashes, count, slots(count), true) && areCheap(hashes, count, slots(slots(count)), false));
    }

    /// Whether so many keys can be added to a collection made for [#room] of them, which does not grow.
    static boolean areCheapToAdd(int[] hashes, int count) {
        return count <= FEW || areCheap(hashes, count, slots(room(count)), false);
    }

    /// The number to give to a collection's constructor so that it has room for `count` elements without growing.
    static int room(int count) {
        return count + 2;
    }

    /// As `ImplicitLinkedHashCollection.calculateCapacity`.
    private static int slots(int elements) {
        return 2 * elements + 1;
    }

    private static boolean areCheap(int[] hashes, int count, int slots, boolean grows) {
        long left = MOST_PROBES;
        int[] steps = new int[slots]; // by slot: steps to put its key there, 0 for an empty one
        for (int i = 0; i < count; i++) {
            int slot = (hashes[i] & Integer.MAX_VALUE) % slots;
            int probes = 1;
            while (steps[slot] != 0) {
                slot = slot + 1 == slots ? 0 : slot + 1;
                probes++;
            }
            steps[slot] = probes;
            left -= probes;
            if (left < 0) {
                return false;
            }
        }
        return !grows || growthSteps(steps) <= MOST_GROWTH_STEPS;
    }

    /// Growing removes each key of a run of neighbours, and puts those behind it in their places anew each time.
    private static long growthSteps(int[] steps) {
        long all = 0;
        long run = 0;
        long runSteps = 0;
        for (int step : steps) {
            if (step == 0) {
                all += run * runSteps;
                run = 0;
                runSteps = 0;
            } else {
                run++;
                runSteps += step;
            }
        }
        return all + run * runSteps;
    }

    /// The hash codes of a growing number of keys.
    static final class Hashes {
        private int[] codes = new int[FEW];
        private int count;

        void add(int code) {
            if (count == codes.length) {
                codes = Arrays.copyOf(codes, count * 2);
            }
            codes[count++] = code;
        }

        void clear() {
            count = 0;
        }

        boolean areCheapToRead() {
            return Collisions.areCheapToRead(codes, count);
        }

        boolean areCheapToAdd() {
            return Collisions.areCheapToAdd(codes, count);
        }
    }
}
