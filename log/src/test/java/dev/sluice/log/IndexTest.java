package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The index while it is mapped, and as a file: both answer as a sorted map does.
class IndexTest {
    @TempDir
    Path folder;

    private final Faults faults = new Faults();
    private final Kernel kernel = new Kernel(faults);
    private CachedFile file;

    @BeforeEach
    void create() throws IOException {
        Path path = Files.createFile(folder.resolve("x.index"));
        Account account = Account.root("test");
        file = new CachedFile(kernel, new OpenFiles(4), path, () -> account);
    }

    @AfterEach
    void nothingLeft() {
        file.retire();
        assertThat(OpenHandles.descriptors(folder)).isEmpty();
        assertThat(OpenHandles.maps(folder)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(IndexFormat.class)
    void mappedAndReadItFindsTheEntryBelow(IndexFormat format) throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int size : new int[] {0, 1, 2, 255, 256, 257, 1000, 20_000}) {
            TreeMap<Long, Integer> model = new TreeMap<>();
            MappedIndex mapped = new MappedIndex(kernel, format, file, 0, 1 << 20);
            long key = 0;
            for (int i = 0; i < size; i++) {
                key += 1 + (random.nextInt(10) == 0 ? random.nextInt(50_000) : random.nextInt(50));
                mapped.room(1);
                mapped.append(key, i);
                model.put(key, i);
            }
            for (int i = 0; i < 500; i++) {
                long wanted = random.nextLong(key + 10);
                assertThat(mapped.floor(wanted)).as("seed %d", seed).isEqualTo(floor(model, wanted));
            }
            mapped.trim();
            mapped.close();
            assertThat(Files.size(file.path())).isEqualTo((long) size * format.entryBytes);
            IndexFile read = new IndexFile(kernel, format, file, size);
            for (int i = 0; i < 500; i++) {
                long wanted = random.nextLong(key + 10);
                assertThat(read.floor(wanted)).as("seed %d", seed).isEqualTo(floor(model, wanted));
            }
            Files.write(file.path(), new byte[0]);
        }
    }

    private static IndexEntry floor(NavigableMap<Long, Integer> model, long key) {
        Map.Entry<Long, Integer> entry = model.floorEntry(key);
        return entry == null ? null : new IndexEntry(entry.getKey(), entry.getValue());
    }

    private static void append(MappedIndex index, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            index.room(1);
            index.append(i, i);
        }
    }

    @Test
    void anIndexOfFewEntriesHasNoMap() throws IOException {
        MappedIndex index = new MappedIndex(kernel, IndexFormat.OFFSET, file, 0, 10 << 20);
        index.room(1);
        assertThat(Files.size(file.path())).isEqualTo(4096); // blocks before the first entry
        append(index, 0, 1024);
        assertThat(OpenHandles.maps(folder)).isEmpty();

        append(index, 1024, 1025);

        // What Java code stores into a map waits for a disk that stalls, and every collection with it.
        assertThat(OpenHandles.maps(folder)).singleElement().asString().contains(" r--s ");
        index.close();
    }

    @Test
    void entriesThatCantBeWrittenAreToldBeforeTheNextAndAreNotLost() throws IOException {
        MappedIndex index = new MappedIndex(kernel, IndexFormat.OFFSET, file, 0, 10 << 20);
        append(index, 0, 1024);
        Faults.Fault failing = faults.always(Call.PWRITE, ".index", Errno.EIO);
        assertThatThrownBy(() -> index.room(1))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("EIO");
        assertThat(index.floor(1000)).isEqualTo(new IndexEntry(1000, 1000));

        failing.heal();
        append(index, 1024, 1030);
        index.trim();
        index.close();

        IndexFile read = new IndexFile(kernel, IndexFormat.OFFSET, file, 1030);
        assertThat(read.floor(1027)).isEqualTo(new IndexEntry(1027, 1027));
        assertThat(read.floor(1000)).isEqualTo(new IndexEntry(1000, 1000));
    }

    @ParameterizedTest
    @EnumSource(IndexFormat.class)
    void appendingGoesOnBehindWhatTheFileHas(IndexFormat format) throws IOException {
        MappedIndex first = new MappedIndex(kernel, format, file, 0, 1 << 20);
        append(first, 0, 100);
        first.trim();
        append(first, 100, 200);
        first.trim();
        first.close();

        MappedIndex second = new MappedIndex(kernel, format, file, 200, 1 << 20);
        append(second, 200, 5000);
        assertThat(second.floor(199)).isNull(); // the file's own
        for (int key = 200; key < 5000; key++) {
            assertThat(second.floor(key)).isEqualTo(new IndexEntry(key, key));
        }
        second.trim();
        second.close();

        IndexFile read = new IndexFile(kernel, format, file, 5000);
        for (int key = 0; key < 5000; key++) {
            assertThat(read.floor(key)).isEqualTo(new IndexEntry(key, key));
        }
    }

    @Test
    void aFullDiskIsToldBeforeAnythingIsTouched() throws IOException {
        MappedIndex index = new MappedIndex(kernel, IndexFormat.OFFSET, file, 0, 10 << 20);
        Faults.Fault full = faults.always(Call.FALLOCATE, ".index", Errno.ENOSPC);
        assertThatThrownBy(() -> index.room(1))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("ENOSPC");

        full.heal();
        index.room(1);
        index.append(7, 8);

        assertThat(index.floor(9)).isEqualTo(new IndexEntry(7, 8));
        index.close();
    }

    @Test
    void withoutFallocateTheBlocksAreWritten() throws IOException {
        Faults.Fault unsupported = faults.always(Call.FALLOCATE, ".index", Errno.EOPNOTSUPP);
        MappedIndex index = new MappedIndex(kernel, IndexFormat.OFFSET, file, 0, 10 << 20);

        index.room(1);
        index.append(7, 8);

        assertThat(unsupported.hits()).isEqualTo(1);
        assertThat(Files.size(file.path())).isEqualTo(4096);
        index.close();
    }

    @Test
    void theTimeIndexKeepsItsLastPlaceForTheEnd() throws IOException {
        MappedIndex index = new MappedIndex(kernel, IndexFormat.TIME, file, 0, 24);
        index.room(2);
        assertThat(index.isFull()).isFalse();
        index.append(1, 1);
        assertThat(index.isFull()).isTrue();
        index.append(2, 2);
        index.trim();
        index.close();

        assertThat(Files.size(file.path())).isEqualTo(24);
    }
}
