package dev.sluice.io.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class S3FifoTest {
    private static final int FRAMES = 100;
    private static final int HOT = 50;

    /// A cache that holds nothing but keys.
    private interface Keys {
        /// @return whether the key was there
        boolean use(long key);
    }

    private static final class Cache implements Keys {
        final S3Fifo policy = new S3Fifo(FRAMES);
        final Map<Long, Integer> frames = new HashMap<>();
        final long[] keys = new long[FRAMES];

        @Override
        public boolean use(long key) {
            Integer there = frames.get(key);
            if (there != null) {
                policy.touch(there);
                return true;
            }
            int frame = frames.size() < FRAMES ? frames.size() : policy.evict(any -> true);
            if (frames.size() == FRAMES) {
                frames.remove(keys[frame]);
            }
            keys[frame] = key;
            frames.put(key, frame);
            policy.insert(frame, key);
            return false;
        }
    }

    private static Keys leastRecentlyUsed() {
        Map<Long, Boolean> map = new LinkedHashMap<>(16, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Long, Boolean> eldest) {
                return size() > FRAMES;
            }
        };
        return key -> map.put(key, true) != null;
    }

    private static int hotHitsAfterAScan(Keys cache) {
        for (int round = 0; round < 4; round++) {
            for (long key = 0; key < HOT; key++) {
                cache.use(key);
            }
        }
        for (long key = 1_000; key < 1_000 + 50 * FRAMES; key++) {
            cache.use(key);
        }
        int hits = 0;
        for (long key = 0; key < HOT; key++) {
            hits += cache.use(key) ? 1 : 0;
        }
        return hits;
    }

    @Test
    void aScanLeavesWhatIsUsedAgainAndAgain() {
        assertThat(hotHitsAfterAScan(new Cache())).isEqualTo(HOT);
    }

    @Test
    void controlTheSameScanEmptiesAnLruCache() {
        assertThat(hotHitsAfterAScan(leastRecentlyUsed())).isZero();
    }

    @Test
    void whoComesBackSoonAfterItWentStays() {
        Cache cache = new Cache();
        for (long key = 0; key < FRAMES; key++) {
            cache.use(key);
        }
        cache.use(500); // 0 goes: the oldest of the small queue
        assertThat(cache.frames).doesNotContainKey(0L);
        cache.use(0); // its ghost takes it to the main queue
        for (long key = 1_000; key < 1_000 + 5 * FRAMES; key++) {
            cache.use(key);
        }

        assertThat(cache.frames).containsKey(0L);
        assertThat(cache.frames).doesNotContainKey(500L);
    }

    @Test
    void aForgottenGhostIsAStranger() {
        Cache cache = new Cache();
        for (long key = 0; key <= FRAMES; key++) {
            cache.use(key);
        }
        cache.policy.forgetGhosts(key -> key == 0);
        cache.use(0);
        for (long key = 1_000; key < 1_000 + 5 * FRAMES; key++) {
            cache.use(key);
        }

        assertThat(cache.frames).doesNotContainKey(0L);
    }

    @Test
    void whatMayNotGoIsPassedOver() {
        S3Fifo policy = new S3Fifo(10);
        for (int frame = 0; frame < 10; frame++) {
            policy.insert(frame, frame);
        }

        assertThat(policy.evict(frame -> frame == 7)).isEqualTo(7);
        assertThat(policy.evict(frame -> false)).isEqualTo(-1);
        assertThat(policy.evict(frame -> frame == 3)).isEqualTo(3);
    }

    @Test
    void everyFrameCanGoInTheEndAndGoesOnce() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            S3Fifo policy = new S3Fifo(FRAMES);
            for (int frame = 0; frame < FRAMES; frame++) {
                policy.insert(frame, random.nextInt(1000) + 1000L * frame);
            }
            boolean[] gone = new boolean[FRAMES];
            int left = FRAMES;
            while (left > 0) {
                int frame = random.nextInt(FRAMES);
                if (!gone[frame] && random.nextInt(3) > 0) {
                    policy.touch(frame);
                } else if (!gone[frame] && random.nextInt(4) == 0) {
                    policy.forget(frame);
                    gone[frame] = true;
                    left--;
                } else {
                    int modulo = random.nextInt(1, 4);
                    int victim = policy.evict(one -> one % modulo == 0);
                    if (victim >= 0) {
                        assertThat(gone[victim]).as("seed %d", seed).isFalse();
                        assertThat(victim % modulo).isZero();
                        gone[victim] = true;
                        left--;
                    } else {
                        for (int one = 0; one < FRAMES; one += modulo) {
                            assertThat(gone[one])
                                    .as("seed %d: %d could have gone", seed, one)
                                    .isTrue();
                        }
                    }
                }
            }
            assertThat(policy.evict(any -> true)).isEqualTo(-1);
        }
    }
}
