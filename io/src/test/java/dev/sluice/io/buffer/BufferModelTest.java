package dev.sluice.io.buffer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.support.Leaks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Random slices, duplicates, composites, stores and releases over heap, native, mapped and pooled memory, beside a
/// model that has arrays and lists of places in them.
@Timeout(180)
class BufferModelTest {
    private static final int STEPS = 2000;
    private static final int MOST_BUFFERS = 40;
    private static final int MOST_BYTES = 20_000;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private long pools;

    /// Memory, as the model has it.
    private static final class Ground {
        final byte[] bytes;
        int released;

        Ground(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    /// Where a byte of a buffer lies.
    private record Place(Ground ground, int at) {}

    private record Pair(Buffer buffer, List<Place> places) {
        byte[] expected() {
            byte[] bytes = new byte[places.size()];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = places.get(i).ground().bytes[places.get(i).at()];
            }
            return bytes;
        }
    }

    @Test
    void buffersShowWhatTheModelHasAndReleaseEachMemoryOnce() throws Exception {
        for (int i = 0; i < 3; i++) {
            long seed = System.nanoTime();
            try {
                run(new Random(seed));
            } catch (Throwable t) {
                throw new AssertionError("seed " + seed, t);
            }
        }
    }

    private void run(Random random) throws Exception {
        Leaks leaks = new Leaks(kernel);
        List<Ground> grounds = new ArrayList<>();
        List<Pair> pairs = new ArrayList<>();
        try (Arena arena = Arena.ofShared();
                Buffers buffers = new Buffers(kernel, LeakDetection.OFF);
                Descriptor file = kernel.files()
                        .open(folder.resolve("mapped"), Files.O_RDWR | Files.O_CREAT, 0x180, kernel.account())
                        .orThrow()) {
            kernel.files().ftruncate(file, 4096L * STEPS);
            for (int step = 0; step < STEPS; step++) {
                Pair any = pairs.isEmpty() ? null : pairs.get(random.nextInt(pairs.size()));
                switch (any == null ? 0 : random.nextInt(pairs.size() > MOST_BUFFERS ? 9 : 7)) {
                    case 0 -> pairs.add(wrapped(random, buffers, arena, file, grounds));
                    case 1, 2 -> {
                        int from = random.nextInt(any.places().size() + 1);
                        int to = from + random.nextInt(any.places().size() - from + 1);
                        pairs.add(new Pair(
                                any.buffer().slice(from, to - from),
                                List.copyOf(any.places().subList(from, to))));
                    }
                    case 3 -> pairs.add(new Pair(any.buffer().duplicate(), any.places()));
                    case 4 -> compose(random, buffers, pairs);
                    case 5 -> {
                        if (!any.places().isEmpty()) {
                            int from = random.nextInt(any.places().size());
                            byte[] bytes = new byte[random.nextInt(any.places().size() - from + 1)];
                            random.nextBytes(bytes);
                            any.buffer().copyFrom(from, MemorySegment.ofArray(bytes));
                            for (int i = 0; i < bytes.length; i++) {
                                Place place = any.places().get(from + i);
                                place.ground().bytes[place.at()] = bytes[i];
                            }
                        }
                    }
                    default -> {
                        pairs.remove(any);
                        any.buffer().release();
                    }
                }
                if (step % 16 == 0) {
                    for (Pair pair : pairs) {
                        assertThat(pair.buffer().toArray()).isEqualTo(pair.expected());
                    }
                }
                assertThat(buffers.outstanding()).isBetween((long) pairs.size(), pairs.size() + pools);
            }
            for (Ground ground : grounds) {
                boolean used = pairs.stream()
                        .flatMap(pair -> pair.places().stream())
                        .anyMatch(place -> place.ground() == ground);
                assertThat(ground.released).isLessThanOrEqualTo(used ? 0 : 1);
            }
            pairs.forEach(pair -> pair.buffer().release());
            assertThat(grounds).allMatch(ground -> ground.released == 1);
            assertThat(buffers.outstanding()).isZero();
        }
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    private Pair wrapped(Random random, Buffers buffers, Arena arena, Descriptor file, List<Ground> grounds)
            throws Exception {
        byte[] bytes = new byte[random.nextInt(50)];
        random.nextBytes(bytes);
        Ground ground = new Ground(bytes);
        Buffer buffer;
        switch (random.nextInt(4)) {
            case 0 -> buffer = buffers.wrap(MemorySegment.ofArray(bytes.clone()), () -> ground.released++);
            case 1 ->
                buffer = buffers.wrap(
                        arena.allocate(Math.max(1, bytes.length)).asSlice(0, bytes.length), () -> ground.released++);
            case 2 -> {
                Mapping mapping = Mapping.ofFile(kernel, file, 4096L * grounds.size(), 4096, true);
                buffer = buffers.wrap(mapping.segment().asSlice(0, bytes.length), () -> {
                    mapping.close();
                    ground.released++;
                });
            }
            default -> {
                Buffer pooled = buffers.allocate(bytes.length);
                buffer = buffers.wrap(pooled.pieces().piece(0), () -> {
                    pooled.release();
                    ground.released++;
                });
                pools++;
            }
        }
        grounds.add(ground);
        buffer.copyFrom(0, MemorySegment.ofArray(bytes));
        List<Place> places = new ArrayList<>();
        for (int i = 0; i < bytes.length; i++) {
            places.add(new Place(ground, i));
        }
        return new Pair(buffer, places);
    }

    private static void compose(Random random, Buffers buffers, List<Pair> pairs) {
        List<Buffer> parts = new ArrayList<>();
        List<Place> places = new ArrayList<>();
        for (int i = random.nextInt(6); i >= 0 && !pairs.isEmpty() && places.size() < MOST_BYTES; i--) {
            Pair part = pairs.get(random.nextInt(pairs.size()));
            places.addAll(part.places());
            if (random.nextBoolean()) {
                parts.add(part.buffer().duplicate());
            } else {
                parts.add(part.buffer());
                pairs.remove(part);
            }
        }
        pairs.add(new Pair(buffers.compose(parts), places));
    }
}
