package dev.sluice.io.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.ChildJvm;
import dev.sluice.testbase.Commands;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A pool and another user: whom it isn't shared with, and what he can't do who has it.
@Tag("root")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class AnotherUserTest {
    private static final int NOBODY = 65534;
    private static final List<String> AS_NOBODY =
            List.of("setpriv", "--reuid=" + NOBODY, "--regid=" + NOBODY, "--clear-groups");

    private final Kernel kernel = new Kernel();
    private final Account account = kernel.account();
    private Path folder;
    private List<Path> classes;
    private Descriptor listener;
    private Path path;

    @BeforeEach
    void listen() throws Exception {
        folder = java.nio.file.Files.createTempDirectory(Path.of("/tmp"), "sluice-pool"); // which anybody can reach
        java.nio.file.Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        classes = ChildJvm.classesForEverybody(folder);
        path = folder.resolve("socket");
        listener = PeerSockets.listen(kernel, path, 0666, account);
    }

    @AfterEach
    void close() throws Exception {
        listener.close();
        Commands.run("rm", "-r", folder.toString());
    }

    private ChildJvm asNobody(String part) throws Exception {
        return ChildJvm.start(AS_NOBODY, classes, PoolPeerMain.class, path.toString(), part);
    }

    @Test
    void theModeOfThePathSaysWhoConnects() throws Exception {
        path = folder.resolve("ours");
        try (Descriptor ours = PeerSockets.listen(kernel, path, 0600, account);
                ChildJvm child = asNobody("read")) {
            assertThat(child.rest()).contains("EACCES");
            assertThat(ours.isOpen()).isTrue();
        }
    }

    @Test
    void bothSidesRefuseAUserThatIsNotAllowedAndTakeOneThatIs() throws Exception {
        try (SharedPool pool = SharedPool.create(kernel, PoolPeerMain.CONFIG, account)) {
            try (ChildJvm child = asNobody("refused")) {
                assertThatThrownBy(() -> pool.attach(PeerSockets.accept(kernel, listener, 20_000, account)))
                        .isInstanceOf(PeerViolationException.class)
                        .hasMessageContaining("user " + NOBODY);
                assertThat(child.line()).contains("is user 0, with whom no memory is shared");
            }
        }
        // The writer is told to take him now; he still has to take us, and does not.
        SharedPoolConfig allowing = PoolPeerMain.CONFIG.withOtherUids(Set.of(NOBODY));
        try (SharedPool pool = SharedPool.create(kernel, allowing, account);
                ChildJvm child = asNobody("refused")) {
            assertThatThrownBy(() -> pool.attach(PeerSockets.accept(kernel, listener, 20_000, account)))
                    .isInstanceOf(java.io.IOException.class);
            assertThat(child.line()).contains("is user 0");
        }
        try (ChildJvm _ = asNobody("write-three");
                Descriptor socket = PeerSockets.accept(kernel, listener, 20_000, account)) {
            assertThatThrownBy(() -> SharedPoolReader.accept(kernel, socket, SharedPoolReaderConfig.DEFAULT, account))
                    .isInstanceOf(PeerViolationException.class)
                    .hasMessageContaining("user " + NOBODY);
        }
    }

    /// Which lock holds: the mode of the file stops another user from opening it again, the seal stops everybody
    /// from writing to it.
    @Test
    void aPassedDescriptorCanNotBeOpenedAgainForWriting() throws Exception {
        assertThat(reopenedBy(AS_NOBODY)).containsExactly("EACCES", "EACCES", "EPERM", "written");
        assertThat(reopenedBy(List.of())).containsExactly("EPERM", "written", "EPERM", "written");
    }

    /// Passes four memories, read-only, to a process that opens each again: a pool's; one with a pool's mode and no
    /// seals; one with the seals and everybody's mode; one with neither.
    private List<String> reopenedBy(List<String> prefix) throws Exception {
        try (SealedMemory both = SealedMemory.create(kernel, "both", 4096, account);
                Descriptor modeAlone =
                        kernel.memoryFiles().create("mode", account).orThrow();
                Descriptor sealAlone =
                        kernel.memoryFiles().create("seal", account).orThrow();
                Descriptor neither =
                        kernel.memoryFiles().create("neither", account).orThrow();
                Arena arena = Arena.ofConfined();
                ChildJvm child = ChildJvm.start(prefix, classes, PoolPeerMain.class, path.toString(), "reopen");
                Descriptor socket = PeerSockets.accept(kernel, listener, 20_000, account)) {
            for (Descriptor file : List.of(modeAlone, sealAlone, neither)) {
                kernel.files().ftruncate(file, 4096);
            }
            kernel.files().changeMode(modeAlone, 0400);
            kernel.memoryFiles().addSeals(sealAlone, SealedMemory.SEALS);
            try (Descriptor a = readOnly(both.file());
                    Descriptor b = readOnly(modeAlone);
                    Descriptor c = readOnly(sealAlone);
                    Descriptor d = readOnly(neither)) {
                kernel.unixSockets().send(socket, arena.allocate(1), List.of(a, b, c, d), 0);
                return List.of(child.line(), child.line(), child.line(), child.line());
            }
        }
    }

    private Descriptor readOnly(Descriptor file) throws Exception {
        return kernel.files()
                .open(Path.of("/proc/self/fd/" + file.number()), Files.O_RDONLY, 0, account)
                .orThrow();
    }
}
