package dev.sluice.io.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipesTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    void aFileGoesThroughAPipeIntoAFileAtPositions() throws Exception {
        Path from = folder.resolve("from");
        Path to = folder.resolve("to");
        java.nio.file.Files.writeString(from, "0123456789");
        java.nio.file.Files.writeString(to, "----------");
        Pipes.Ends pipe = kernel.pipes().open(false, kernel.account());
        try (Arena arena = Arena.ofConfined();
                Descriptor in = kernel.files()
                        .open(from, Files.O_RDONLY, 0, kernel.account())
                        .orThrow();
                Descriptor out = kernel.files()
                        .open(to, Files.O_WRONLY, 0, kernel.account())
                        .orThrow()) {
            MemorySegment scratch = arena.allocate(16, 8);
            assertThat(kernel.pipes().splice(in, 2, pipe.writeEnd(), Pipes.NO_POSITION, 5, 0, scratch))
                    .isEqualTo(5);
            assertThat(kernel.pipes().splice(pipe.readEnd(), Pipes.NO_POSITION, out, 3, 5, 0, scratch))
                    .isEqualTo(5);
            assertThat(java.nio.file.Files.readString(to)).isEqualTo("---23456--");
            assertThat(kernel.pipes().splice(in, 10, pipe.writeEnd(), Pipes.NO_POSITION, 5, 0, scratch))
                    .isZero();
            assertThat(kernel.pipes().splice(in, 0, out, 0, 5, 0, scratch)).isEqualTo(-Errno.EINVAL);
            long flags = Pipes.SPLICE_F_NONBLOCK;
            assertThat(kernel.pipes().splice(pipe.readEnd(), Pipes.NO_POSITION, out, 0, 5, (int) flags, scratch))
                    .isEqualTo(-Errno.EAGAIN);
        } finally {
            pipe.readEnd().close();
            pipe.writeEnd().close();
        }
    }

    @Test
    void aCapacityIsRoundedUpToPagesByAPowerOfTwo() throws Exception {
        Pipes.Ends pipe = kernel.pipes().open(true, kernel.account());
        assertThat(kernel.pipes().capacity(pipe.readEnd())).isEqualTo(65_536);
        assertThat(kernel.pipes().setCapacity(pipe.writeEnd(), 100_000)).isEqualTo(131_072);
        assertThat(kernel.pipes().capacity(pipe.readEnd())).isEqualTo(131_072);
        pipe.readEnd().close();
        pipe.writeEnd().close();
        assertThat(kernel.pipes().capacity(pipe.readEnd())).isEqualTo(-Errno.EBADF);
    }
}
