package dev.sluice.io.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.view.MappedFile.Mode;
import dev.sluice.io.view.MappedFileException.Cause;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// System calls over a map whose file was truncated: EFAULT or a short count, told as an exception that names the file.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class MappedSystemCallsTest {
    private static final long LENGTH = 64 << 10;
    private static final long CUT = 8192;

    private static final Kernel KERNEL = new Kernel();

    @TempDir
    Path folder;

    private Path path;

    /// Ends of all kinds, ready to be written to and read from.
    private static final class Ends implements AutoCloseable {
        final Descriptor[] pair;
        final Pipes.Ends pipe;
        final Descriptor file;

        Ends(Path folder) throws IOException {
            pair = KERNEL.sockets().pair(false, KERNEL.account());
            pipe = KERNEL.pipes().open(false, KERNEL.account());
            file = KERNEL.files()
                    .open(folder.resolve("other"), Files.O_RDWR | Files.O_CREAT, 0x1A4, KERNEL.account())
                    .orThrow();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment bytes = arena.allocate(LENGTH);
                KERNEL.files().pwrite(file, bytes, 0);
                KERNEL.sockets().send(pair[1], bytes, 0);
            }
        }

        @Override
        public void close() {
            pair[0].close();
            pair[1].close();
            pipe.readEnd().close();
            pipe.writeEnd().close();
            file.close();
        }
    }

    @FunctionalInterface
    private interface OverMap {
        long call(Ends ends, MemorySegment mapped) throws IOException;
    }

    /// Every call of this library that takes memory, over the whole map.
    private static final Map<String, OverMap> CALLS = new LinkedHashMap<>();

    static {
        CALLS.put("write", (ends, mapped) -> KERNEL.files().write(ends.pipe.writeEnd(), mapped));
        CALLS.put("pwrite", (ends, mapped) -> KERNEL.files().pwrite(ends.file, mapped, 0));
        CALLS.put("pwritev", (ends, mapped) -> KERNEL.files().pwritev(ends.file, vectors(mapped), 0));
        CALLS.put("send", (ends, mapped) -> KERNEL.sockets().send(ends.pair[0], mapped, 0));
        CALLS.put("sendmsg", (ends, mapped) -> KERNEL.sockets().sendmsg(ends.pair[0], vectors(mapped), 0));
        CALLS.put("pread", (ends, mapped) -> KERNEL.files().pread(ends.file, mapped, 0));
        CALLS.put("recv", (ends, mapped) -> KERNEL.sockets().recv(ends.pair[0], mapped, 0));
        CALLS.put(
                "madvise(POPULATE_READ)", (_, mapped) -> KERNEL.mappings().advise(mapped, Mappings.MADV_POPULATE_READ));
        CALLS.put(
                "madvise(POPULATE_WRITE)",
                (_, mapped) -> KERNEL.mappings().advise(mapped, Mappings.MADV_POPULATE_WRITE));
    }

    private static IoVectors vectors(MemorySegment mapped) {
        IoVectors vectors = new IoVectors(Arena.ofAuto(), 1);
        vectors.add(mapped);
        return vectors;
    }

    @BeforeEach
    void writeFile() throws IOException {
        path = java.nio.file.Files.write(folder.resolve("data"), new byte[(int) LENGTH]);
    }

    static Stream<String> calls() {
        return CALLS.keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("calls")
    void everyCallAnswersFaultOrAShortCount(String name) throws Exception {
        try (Ends ends = new Ends(folder);
                Descriptor file = KERNEL.files()
                        .open(path, Files.O_RDWR, 0, KERNEL.account())
                        .orThrow();
                Mapping mapping = Mapping.ofFile(KERNEL, file, 0, LENGTH, true)) {
            assertThat(CALLS.get(name).call(ends, mapping.segment()))
                    .as("whole, before")
                    .isIn(0L, LENGTH);
        }
        try (Ends ends = new Ends(folder);
                Descriptor file = KERNEL.files()
                        .open(path, Files.O_RDWR, 0, KERNEL.account())
                        .orThrow();
                Mapping mapping = Mapping.ofFile(KERNEL, file, 0, LENGTH, true)) {
            VictimMain.truncate(path, CUT);
            long result = CALLS.get(name).call(ends, mapping.segment());
            assertThat(result).isIn((long) -Errno.EFAULT, CUT);
            long behind = CALLS.get(name).call(ends, mapping.segment().asSlice(CUT));
            assertThat(behind).as("nothing but missing pages").isEqualTo(-Errno.EFAULT);
        }
    }

    static Stream<String> sinks() {
        return Stream.of("socket", "pipe", "file");
    }

    private static Endpoint sink(Ends ends, String kind) {
        return switch (kind) {
            case "socket" -> new Endpoint.Socket(ends.pair[0]);
            case "pipe" -> new Endpoint.Pipe(ends.pipe.writeEnd());
            default -> new Endpoint.File(ends.file, 0);
        };
    }

    @ParameterizedTest
    @MethodSource("sinks")
    void writingFromATruncatedMapNamesTheFile(String kind) throws Exception {
        try (Ends ends = new Ends(folder);
                MappedFile mapped = MappedFile.open(KERNEL, path, Mode.READ, KERNEL.account())) {
            assertThat(mapped.writeTo(sink(ends, kind), 0, LENGTH)).isEqualTo(LENGTH);
        }
        try (Ends ends = new Ends(folder);
                MappedFile mapped = MappedFile.open(KERNEL, path, Mode.READ, KERNEL.account())) {
            VictimMain.truncate(path, CUT);
            MappedFileException thrown =
                    catchThrowableOfType(MappedFileException.class, () -> mapped.writeTo(sink(ends, kind), 0, LENGTH));
            assertThat(thrown.why()).isEqualTo(Cause.TRUNCATED);
            assertThat(thrown).hasMessageContaining(path + " was truncated to " + CUT);
        }
    }

    @Test
    void loadingAndReadingTellOfIt() throws Exception {
        try (MappedFile mapped = MappedFile.open(KERNEL, path, Mode.READ, KERNEL.account());
                Arena arena = Arena.ofConfined()) {
            mapped.load(100, LENGTH - 100);
            mapped.read(0, arena.allocate(LENGTH));
            VictimMain.truncate(path, CUT);
            assertThat(catchThrowableOfType(MappedFileException.class, () -> mapped.load(0, LENGTH)))
                    .hasMessageContaining("was truncated");
            assertThat(catchThrowableOfType(MappedFileException.class, () -> mapped.read(0, arena.allocate(CUT + 1))))
                    .hasMessageContaining("was truncated to " + CUT);
        }
    }
}
