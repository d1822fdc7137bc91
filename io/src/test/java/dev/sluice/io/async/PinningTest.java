package dev.sluice.io.async;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.ChildJvm;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// RLIMIT_MEMLOCK binds ordinary users only, so this becomes one: needs root to do it.
@Tag("root")
class PinningTest {
    private static final int POOL_BYTES = 1 << 20;

    /// Opens a queue with a pool of [#POOL_BYTES] and prints what came of it.
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Kernel kernel = new Kernel();
            BufferPool pool = BufferPool.open(kernel, new BufferPool.Shape(POOL_BYTES / 4096, 4096));
            QueueConfig config = QueueConfig.ofDepth(4).with(QueueConfig.Registration.valueOf(arguments[0]));
            try (FileQueue queue = FileQueues.open(kernel, pool, config, Account.root("child"))) {
                System.out.println("opened " + queue.description());
            } catch (PinningException e) {
                System.out.println("refused " + e.neededBytes() + " " + e.limitBytes() + " " + e.getMessage());
            }
        }
    }

    private Path folder;

    @BeforeEach
    void makeAFolderForEverybody() throws Exception {
        // Not below the build's folder, which may be closed to others.
        folder = Files.createTempDirectory(Path.of("/tmp"), "sluice-pinning");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void removeIt() throws Exception {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private String asNobodyWithALimitOf(long lockedBytes, QueueConfig.Registration registration) throws Exception {
        List<String> prefix = List.of(
                "prlimit",
                "--memlock=" + lockedBytes + ":" + lockedBytes,
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "--bounding-set=-all");
        List<Path> classes = ChildJvm.classesForEverybody(folder);
        try (ChildJvm child = ChildJvm.start(prefix, classes, Child.class, registration.name())) {
            return child.rest();
        }
    }

    @Test
    void aLimitThatIsTooSmallIsNamedWithWhatToSet() throws Exception {
        assertThat(asNobodyWithALimitOf(64 << 10, QueueConfig.Registration.REQUIRED))
                .startsWith("refused " + POOL_BYTES + " " + (64 << 10))
                .contains("ENOMEM")
                .contains("ulimit -l 1024")
                .contains("LimitMEMLOCK=1048576")
                .contains("CAP_IPC_LOCK");
    }

    @Test
    void withoutPinningTheQueueWorksAndSaysWhyItIsNot() throws Exception {
        assertThat(asNobodyWithALimitOf(64 << 10, QueueConfig.Registration.IF_ALLOWED))
                .startsWith("opened io_uring")
                .contains("no registered memory")
                .contains("RLIMIT_MEMLOCK");
    }

    @Test
    void theSameUserPinsTheSamePoolUnderAHigherLimit() throws Exception {
        assertThat(asNobodyWithALimitOf(8 << 20, QueueConfig.Registration.REQUIRED))
                .startsWith("opened io_uring")
                .contains(POOL_BYTES + " bytes of registered memory");
    }
}
