package dev.sluice.testbase;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
final class LoopFileSystemTest {
    @TempDir
    Path folder;

    /// Whoever makes a mount namespace takes a copy of the mount along, as `ip netns exec` does.
    @Test
    @Tag("root")
    void theMountOfAnotherNamespaceIsWaitedFor() throws Exception {
        try (LoopFileSystem disk = LoopFileSystem.create(folder, "ext4", 16 << 20)) {
            Process other = new ProcessBuilder("unshare", "--mount", "sh", "-c", "echo made; sleep 1")
                    .redirectErrorStream(true)
                    .start();
            assertThat(other.inputReader().readLine()).isEqualTo("made");
            disk.cutPower();

            disk.remount();

            Path file = disk.folder().resolve("file");
            Files.writeString(file, "there is power again");
            assertThat(file).hasContent("there is power again");
            assertThat(other.waitFor(1, TimeUnit.MINUTES)).isTrue();
        }
    }
}
