package dev.sluice.io.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LongIntMapTest {
    @Test
    void saysWhatAHashMapSays() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        int most = 500;
        LongIntMap map = new LongIntMap(most);
        Map<Long, Integer> model = new HashMap<>();
        for (int i = 0; i < 200_000; i++) {
            // Few keys, in runs, so that probes collide and deletions have something to move.
            long key = random.nextInt(300) * (random.nextBoolean() ? 1L : 1L << 40);
            switch (random.nextInt(3)) {
                case 0 -> {
                    if (model.containsKey(key) || model.size() < most) {
                        map.put(key, i);
                        model.put(key, i);
                    }
                }
                case 1 -> assertThat(map.remove(key)).isEqualTo(model.remove(key) != null);
                default -> assertThat(map.get(key)).isEqualTo(model.getOrDefault(key, LongIntMap.NONE));
            }
            assertThat(map.size()).isEqualTo(model.size());
        }
    }
}
