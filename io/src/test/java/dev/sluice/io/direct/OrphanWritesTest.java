package dev.sluice.io.direct;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.FileQueues;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.async.QueueConfig;
import dev.sluice.io.async.QueueConfig.Engine;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.ChildJvm;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.LoopFileSystem;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A process that is killed with writes in flight leaves them in flight: the disk finishes them after the process is
/// gone. Whoever opens the file at once sees it change under its eyes, unless it waits for the dead one's lock.
///
/// The disk is made slow by a control group (version 1, blkio), so that the writes take seconds to land.
@Tag("root")
class OrphanWritesTest {
    private static final int BLOCKS = 64;
    private static final int BLOCK = 64 << 10;
    private static final long BYTES_PER_SECOND = 1 << 20;

    @TempDir
    Path folder;

    /// Locks the file, fills a queue with writes of 0x22 over all of it, says so, and waits to be killed.
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws Exception {
            Path group = Path.of(arguments[2]);
            Files.writeString(
                    group.resolve("cgroup.procs"),
                    Long.toString(ProcessHandle.current().pid()));
            Kernel kernel = new Kernel();
            Account account = Account.root("child");
            BufferPool pool = BufferPool.open(kernel, new BufferPool.Shape(BLOCKS, BLOCK));
            QueueConfig config =
                    QueueConfig.ofDepth(BLOCKS).on(Engine.valueOf(arguments[1])).withThreads(BLOCKS);
            FileQueue queue = FileQueues.open(kernel, pool, config, account);
            DirectFile file =
                    DirectFile.open(kernel, queue, pool, Path.of(arguments[0]), DirectFile.Access.READ_WRITE, account);
            if (!file.tryLock()) {
                throw new IllegalStateException("locked");
            }
            for (int i = 0; i < BLOCKS; i++) {
                PoolBuffer buffer = pool.take();
                buffer.segment().fill((byte) 0x22);
                queue.stage(new FileOperation((operation, result) -> {}, i)
                        .write(file.queued(), buffer, 0, BLOCK, (long) i * BLOCK));
            }
            queue.await(1, -1); // the first has landed, so the others are under way
            System.out.println("in flight");
            Thread.sleep(Long.MAX_VALUE);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RING", "THREADS"})
    void whoHasTheLockOfAKilledWriterSeesNoMoreChange(Engine engine) throws Exception {
        assumeTrue(Files.isDirectory(Path.of("/sys/fs/cgroup/blkio")), "no control group (version 1) for blkio");
        Path group = Path.of(
                "/sys/fs/cgroup/blkio/sluice-orphans-" + ProcessHandle.current().pid());
        try (LoopFileSystem mount = LoopFileSystem.create(folder, "ext4", 64L << 20);
                DirectFileFixture fixture = new DirectFileFixture(engine)) {
            Path path = mount.folder().resolve("data");
            try (DirectFile file = fixture.open(path, DirectFile.Access.CREATE)) {
                file.writeDurably(DirectFileFixture.bytes(BLOCKS * BLOCK, 0x11), 0);
            }
            Files.createDirectory(group);
            try {
                String number = Commands.run(
                        "findmnt", "-nro", "MAJ:MIN", mount.folder().toString());
                Files.writeString(
                        group.resolve("blkio.throttle.write_bps_device"), number.strip() + " " + BYTES_PER_SECOND);
                try (ChildJvm child = ChildJvm.start(
                        List.of(),
                        ChildJvm.ownClasses(),
                        Child.class,
                        path.toString(),
                        engine.name(),
                        group.toString())) {
                    assertThat(child.line()).isEqualTo("in flight");
                    child.kill();
                }
                try (DirectFile file = fixture.open(path, DirectFile.Access.READ_WRITE)) {
                    boolean lockedAtOnce = file.tryLock();
                    int atOnce = changed(file);
                    Awaitility.await().atMost(Duration.ofMinutes(1)).until(file::tryLock);
                    int locked = changed(file);

                    if (engine == Engine.RING) {
                        // The control: the process is gone, and its file is still changing.
                        assertThat(lockedAtOnce).isFalse();
                        assertThat(atOnce).isLessThan(BLOCKS);
                        // With the lock all of it has landed, and there is nothing left that could.
                        assertThat(locked).isEqualTo(BLOCKS);
                    } else {
                        // Threads die after their last call, and the process after its threads.
                        assertThat(lockedAtOnce).isTrue();
                        assertThat(atOnce).isPositive().isEqualTo(locked);
                    }
                }
            } finally {
                Awaitility.await()
                        .atMost(Duration.ofMinutes(1))
                        .ignoreExceptions()
                        .until(() -> {
                            Files.delete(group);
                            return true;
                        });
            }
        }
    }

    /// How many blocks the writer has changed.
    private static int changed(DirectFile file) throws Exception {
        byte[] content = new byte[BLOCKS * BLOCK];
        file.read(MemorySegment.ofArray(content), 0);
        int changed = 0;
        for (int i = 0; i < BLOCKS; i++) {
            changed += content[i * BLOCK + BLOCK - 1] == 0x22 ? 1 : 0;
        }
        return changed;
    }
}
