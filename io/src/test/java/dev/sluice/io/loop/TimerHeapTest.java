package dev.sluice.io.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TimerHeapTest {
    private long nowNs = Long.MAX_VALUE - 500; // so that deadlines wrap, as System.nanoTime may

    @Test
    void aHeapUnderRandomSettingAndCancellingAgreesWithASimpleModel() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        TimerHeap heap = new TimerHeap(() -> nowNs);
        List<Integer> fired = new ArrayList<>();
        Map<Integer, Long> model = new HashMap<>();
        List<Timer> timers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int number = i;
            timers.add(new Timer(heap, () -> fired.add(number)));
        }
        for (int step = 0; step < 20_000; step++) {
            int number = random.nextInt(timers.size());
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    long delayNs = random.nextInt(1, 1_000);
                    timers.get(number).set(delayNs);
                    model.put(number, nowNs + delayNs);
                }
                case 2 -> {
                    timers.get(number).cancel();
                    model.remove(number);
                }
                default -> {
                    nowNs += random.nextInt(300);
                    fired.clear();
                    heap.runDue();
                    List<Integer> due = model.keySet().stream()
                            .filter(n -> model.get(n) - nowNs <= 0)
                            .toList();
                    assertThat(fired).as("seed %d, step %d", seed, step).containsExactlyInAnyOrderElementsOf(due);
                    due.forEach(model::remove);
                }
            }
            assertThat(timers.get(number).isSet()).isEqualTo(model.containsKey(number));
        }
    }
}
