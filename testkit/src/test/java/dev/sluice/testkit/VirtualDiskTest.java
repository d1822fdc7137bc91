package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class VirtualDiskTest {
    private static final int CREATE = dev.sluice.io.linux.Files.O_RDWR | dev.sluice.io.linux.Files.O_CREAT;

    @TempDir
    Path temporary;

    private final Account account = Account.root("test");
    private Path folder;
    private VirtualDisk disk;
    private Kernel kernel;
    private Descriptor file;
    private Descriptor directory;
    private int crashes;

    @BeforeEach
    void aDisk() throws IOException {
        folder = Files.createDirectory(temporary.resolve("disk"));
        disk = new VirtualDisk(folder, Gate.OPEN);
        kernel = new Kernel(disk);
        directory = open(folder, dev.sluice.io.linux.Files.O_DIRECTORY);
        file = open(folder.resolve("a"), CREATE);
    }

    @AfterEach
    void closed() {
        file.close();
        directory.close();
    }

    private Descriptor open(Path path, int flags) throws IOException {
        return kernel.files().open(path, flags, 0644, account).orThrow();
    }

    private void write(int bytes, int value, long position) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment content = arena.allocate(bytes).fill((byte) value);
            assertThat(kernel.files().pwriteFully(file, content, position)).isEqualTo(bytes);
        }
    }

    /// What a power cut leaves: names and contents, a content as runs of its bytes such as `1*512 0*512`.
    private Map<String, String> after(VirtualDisk.Fate fate) throws IOException {
        disk.settle();
        Path state = temporary.resolve("state-" + ++crashes);
        disk.crash(fate, state);
        Map<String, String> left = new TreeMap<>();
        try (var paths = Files.walk(state)) {
            for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
                left.put(state.relativize(path).toString(), runs(Files.readAllBytes(path)));
            }
        }
        return left;
    }

    private static String runs(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < bytes.length; ) {
            int from = i;
            while (i < bytes.length && bytes[i] == bytes[from]) {
                i++;
            }
            text.append(text.isEmpty() ? "" : " ")
                    .append(bytes[from])
                    .append('*')
                    .append(i - from);
        }
        return text.toString();
    }

    private Set<Map<String, String>> allStates() throws IOException {
        disk.settle();
        Set<Map<String, String>> states = new java.util.HashSet<>();
        for (long number = 0; number < 1L << disk.unsynced(); number++) {
            states.add(after(VirtualDisk.combination(number)));
        }
        return states;
    }

    @Test
    void whatWasNotSyncedIsThereOrNotByItself() throws IOException {
        write(10, 1, 0);
        assertThat(allStates()).containsExactlyInAnyOrder(Map.of(), Map.of("a", ""), Map.of("a", "1*10"));

        kernel.files().fsync(file);
        assertThat(allStates()).containsExactlyInAnyOrder(Map.of(), Map.of("a", "1*10"));

        kernel.files().fsync(directory);
        assertThat(allStates()).containsExactly(Map.of("a", "1*10"));
        assertThat(after(VirtualDisk.NOTHING)).isEqualTo(Map.of("a", "1*10"));
    }

    @Test
    void writesAreReorderedAndWhatIsMissingBetweenThemIsZeros() throws IOException {
        kernel.files().fsync(directory);
        write(10, 1, 0);
        write(10, 2, 10);
        assertThat(allStates())
                .containsExactlyInAnyOrder(
                        Map.of("a", ""), Map.of("a", "1*10"), Map.of("a", "0*10 2*10"), Map.of("a", "1*10 2*10"));
    }

    @Test
    void aWriteIsTornAtSectors() throws IOException {
        kernel.files().fsync(directory);
        write(1024, 1, 0);
        Random random = new Random(1);
        Set<String> seen = new TreeSet<>();
        for (int i = 0; i < 200; i++) {
            seen.add(after(VirtualDisk.random(random)).get("a"));
        }
        assertThat(seen).containsExactlyInAnyOrder("", "1*512", "0*512 1*512", "1*1024");
    }

    @Test
    void aTruncationMayBeUndone() throws IOException {
        write(10, 1, 0);
        kernel.files().fsync(file);
        kernel.files().fsync(directory);
        kernel.files().ftruncate(file, 4);
        assertThat(allStates()).containsExactlyInAnyOrder(Map.of("a", "1*10"), Map.of("a", "1*4"));
    }

    @Test
    void aRenamedFileHasItsOldNameOrItsNewOneAndNotBoth() throws IOException {
        write(10, 1, 0);
        kernel.files().fsync(file);
        kernel.files().fsync(directory);
        kernel.files().rename(folder.resolve("a"), folder.resolve("b"));
        assertThat(allStates()).containsExactlyInAnyOrder(Map.of("a", "1*10"), Map.of("b", "1*10"));
    }

    @Test
    void aReplacedFileIsTheOldOrTheNewOneAsAWhole() throws IOException {
        write(10, 1, 0);
        kernel.files().fsync(file);
        kernel.files().fsync(directory);
        file.close();
        file = open(folder.resolve("a.tmp"), CREATE);
        write(10, 2, 0);
        kernel.files().fsync(file);
        kernel.files().rename(folder.resolve("a.tmp"), folder.resolve("a"));
        assertThat(allStates())
                .containsExactlyInAnyOrder(
                        Map.of("a", "1*10"), Map.of("a", "1*10", "a.tmp", "2*10"), Map.of("a", "2*10"));
    }

    @Test
    void namesComeInTheirOrder() throws IOException {
        kernel.files().fsync(directory);
        open(folder.resolve("b"), CREATE).close();
        kernel.files().unlink(folder.resolve("a"));
        assertThat(allStates())
                .extracting(Map::keySet)
                .containsExactlyInAnyOrder(Set.of("a"), Set.of("a", "b"), Set.of("b"));
    }

    @Test
    void whatIsStoredThroughAMapIsSeen() throws IOException {
        write(8192, 1, 0);
        kernel.files().fsync(file);
        kernel.files().fsync(directory);
        dev.sluice.io.memory.Mapping mapping = dev.sluice.io.memory.Mapping.ofFile(kernel, file, 0, 8192, true);
        disk.settle();
        mapping.segment().asSlice(4096, 1).fill((byte) 7);
        assertThat(allStates()).containsExactlyInAnyOrder(Map.of("a", "1*8192"), Map.of("a", "1*4096 7*1 1*4095"));
        mapping.close();
    }

    @Test
    void aFolderOfWhichTheNameWasNotSyncedIsGoneWithAllInIt() throws IOException {
        Path inner = folder.resolve("inner");
        kernel.files().fsync(directory);
        kernel.files().makeDirectory(inner, 0755);
        file.close();
        file = open(inner.resolve("c"), CREATE);
        write(3, 1, 0);
        kernel.files().fsync(file);
        Descriptor innerDirectory = open(inner, dev.sluice.io.linux.Files.O_DIRECTORY);
        kernel.files().fsync(innerDirectory);
        innerDirectory.close();
        assertThat(allStates()).containsExactlyInAnyOrder(Map.of("a", ""), Map.of("a", "", "inner/c", "1*3"));
    }
}
