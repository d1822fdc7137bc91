package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.memory.Mapping;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Controls: the counters that other tests end with see what they are there to see.
class LeaksTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    void anOpenPipeIsSeen() throws Exception {
        Leaks leaks = new Leaks(folder);
        Pipes.Ends pipe = kernel.pipes().open(true, kernel.account());
        assertThatThrownBy(leaks::assertNone).isInstanceOf(AssertionError.class).hasMessageContaining("pipe:");
        pipe.readEnd().close();
        pipe.writeEnd().close();
        leaks.assertNone(kernel);
    }

    @Test
    void anOpenSocketIsSeen() throws Exception {
        Leaks leaks = new Leaks(folder);
        Descriptor[] pair = kernel.sockets().pair(true, kernel.account());
        pair[0].close();
        assertThatThrownBy(leaks::assertNone).isInstanceOf(AssertionError.class).hasMessageContaining("socket:");
        pair[1].close();
        leaks.assertNone(kernel);
    }

    @Test
    void aMapOfAFileIsSeen() throws Exception {
        Rig.write(folder.resolve("source"), 0, 10_000);
        Leaks leaks = new Leaks(folder);
        try (Endpoint.File file = Endpoint.openSource(kernel, folder.resolve("source"), kernel.account())) {
            Mapping mapping = Mapping.ofFile(kernel, file.descriptor(), 0, 8192, false);
            file.close();
            assertThatThrownBy(leaks::assertNone)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("source");
            mapping.close();
        }
        leaks.assertNone(kernel);
    }

    @Test
    void anAnonymousMapIsSeen() throws Exception {
        Leaks leaks = new Leaks(folder);
        Mapping mapping = Mapping.reserve(kernel, 4096);
        assertThatThrownBy(() -> leaks.assertNone(kernel)).isInstanceOf(AssertionError.class);
        mapping.close();
        leaks.assertNone(kernel);
    }
}
