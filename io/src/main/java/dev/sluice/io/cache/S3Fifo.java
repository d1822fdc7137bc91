package dev.sluice.io.cache;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.function.LongPredicate;

/// Which block goes when room is needed: S3-FIFO, of Yang, Zhang, Qiu, Yue and Vinayak, "FIFO queues are all you need
/// for cache eviction", SOSP 2023.
///
/// ```
///               not seen lately                        seen more than once
///  new block ───────────────────▶ small (a tenth) ──────────────────────────▶ main ◀─┐ seen again: back to the
///      │                              │ otherwise                               │ ├──┘ head, once less
///      │ key is among the ghosts      ▼                                         ▼ never again
///      └──────────▶ main            ghosts (keys alone)                        out
/// ```
///
/// What is read once, a scan, passes through the small queue and leaves the main one alone. A hit moves nothing: it
/// counts up to 3. Ghosts remember as many keys as the main queue has blocks: who comes back soon after it went was
/// judged too early, and goes to the main queue at once.
///
/// Two things are ours. A hit by a sequential reader that goes on inside a block does not count ([BlockCache] doesn't
/// tell), else records smaller than a block would make every block of a scan look popular. And blocks that can't go
/// (being read or not on disk yet) are passed over and put back to the head of their queue.
///
/// Frames are numbers from 0; everything is in arrays made at start. Owned by one thread.
final class S3Fifo {
    private static final int NONE = -1;
    private static final byte MOST_HITS = 3;
    /// "More than once" of the paper: hits that a block needs, besides its insertion, to be taken into the main
    /// queue.
    private static final byte HITS_TO_STAY = 2;

    private final int[] towardsHead;
    private final int[] towardsTail;
    private final byte[] hits;
    private final boolean[] inMain;
    private final long[] keys;
    private final Queue small = new Queue();
    private final Queue main = new Queue();
    private final int smallTarget;
    private final Ghosts ghosts;

    /// A doubly linked list of frames through the arrays.
    private final class Queue {
        private int head = NONE;
        private int tail = NONE;
        private int size;

        void addFirst(int frame) {
            towardsHead[frame] = NONE;
            towardsTail[frame] = head;
            if (head == NONE) {
                tail = frame;
            } else {
                towardsHead[head] = frame;
            }
            head = frame;
            size++;
        }

        void remove(int frame) {
            int before = towardsHead[frame];
            int after = towardsTail[frame];
            if (before == NONE) {
                head = after;
            } else {
                towardsTail[before] = after;
            }
            if (after == NONE) {
                tail = before;
            } else {
                towardsHead[after] = before;
            }
            size--;
        }
    }

    /// The last keys that were evicted from the small queue, a ring and a map from key to place.
    private static final class Ghosts {
        private final long[] ring;
        private final LongIntMap places;
        private int next;

        Ghosts(int capacity) {
            ring = new long[capacity];
            places = new LongIntMap(capacity);
            Arrays.fill(ring, NONE);
        }

        void add(long key) {
            long oldest = ring[next];
            if (oldest != NONE && places.get(oldest) == next) {
                places.remove(oldest);
            }
            ring[next] = key;
            places.put(key, next);
            next = next + 1 == ring.length ? 0 : next + 1;
        }

        boolean remove(long key) {
            return places.remove(key);
        }
    }

    S3Fifo(int frames) {
        towardsHead = new int[frames];
        towardsTail = new int[frames];
        hits = new byte[frames];
        inMain = new boolean[frames];
        keys = new long[frames];
        smallTarget = Math.max(1, frames / 10);
        ghosts = new Ghosts(frames - smallTarget);
    }

    /// A frame got a block.
    void insert(int frame, long key) {
        keys[frame] = key;
        hits[frame] = 0;
        inMain[frame] = ghosts.remove(key);
        queueOf(frame).addFirst(frame);
    }

    /// A frame's block was asked for again.
    void touch(int frame) {
        if (hits[frame] < MOST_HITS) {
            hits[frame]++;
        }
    }

    /// A frame lost its block for another reason than room: its key is not remembered.
    void forget(int frame) {
        queueOf(frame).remove(frame);
    }

    /// Forgets the remembered keys that a test picks out: those of a file that is closed, whose number another will
    /// get.
    void forgetGhosts(LongPredicate which) {
        for (long key : ghosts.ring) {
            if (key != NONE && which.test(key)) {
                ghosts.remove(key);
            }
        }
    }

    /// Chooses the frame to empty, and takes it out.
    ///
    /// @param mayGo whether a frame's block may be dropped now
    /// @return the frame, or −1 when none may go
    int evict(IntPredicate mayGo) {
        boolean smallHasItsShare = small.size >= smallTarget || main.size == 0;
        int victim = smallHasItsShare ? NONE : evictFromMain(mayGo);
        if (victim == NONE) {
            victim = evictFromSmall(mayGo);
        }
        // The small queue may have given all that could go to the main one.
        return victim == NONE ? evictFromMain(mayGo) : victim;
    }

    /// Looks at each frame once: it goes, or to the main queue, or must stay for now.
    private int evictFromSmall(IntPredicate mayGo) {
        for (int looks = small.size; looks > 0; looks--) {
            int frame = small.tail;
            small.remove(frame);
            if (!mayGo.test(frame)) {
                small.addFirst(frame);
            } else if (hits[frame] < HITS_TO_STAY) {
                ghosts.add(keys[frame]);
                return frame;
            } else {
                hits[frame] = 0;
                inMain[frame] = true;
                main.addFirst(frame);
            }
        }
        return NONE;
    }

    /// Each look takes a hit off a frame that may go, so there is a victim after [#MOST_HITS] rounds if there is
    /// one at all.
    private int evictFromMain(IntPredicate mayGo) {
        for (int looks = main.size * (MOST_HITS + 1); looks > 0; looks--) {
            int frame = main.tail;
            main.remove(frame);
            if (mayGo.test(frame) && hits[frame]-- == 0) {
                return frame;
            }
            main.addFirst(frame);
        }
        return NONE;
    }

    private Queue queueOf(int frame) {
        return inMain[frame] ? main : small;
    }
}
