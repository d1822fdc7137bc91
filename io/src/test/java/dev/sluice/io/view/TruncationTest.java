package dev.sluice.io.view;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.support.ChildJvm;
import dev.sluice.io.support.Leaks;
import dev.sluice.io.view.MappedFile.Mode;
import dev.sluice.io.view.MappedFileException.Cause;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A mapped file that somebody truncates: whoever touches the map hears of it, by name, and lives.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class TruncationTest {
    private static final long LENGTH = VictimMain.LENGTH;

    /// Not at a page's end: the bytes behind it, up to 8192, read as zeros and raise nothing.
    private static final long CUT = 5000;

    /// What Java code does to mapped bytes.
    private static final Map<String, MappedFile.Access<Object, RuntimeException>> ACCESSES = new LinkedHashMap<>();

    static {
        ACCESSES.put("get", bytes -> {
            long sum = 0;
            for (long at = 0; at < bytes.byteSize(); at += 8) {
                sum += bytes.get(ValueLayout.JAVA_LONG, at);
            }
            return sum;
        });
        ACCESSES.put("copy to the heap", bytes -> bytes.toArray(ValueLayout.JAVA_BYTE));
        ACCESSES.put("get of a buffer", bytes -> bytes.asByteBuffer().get(new byte[(int) bytes.byteSize()]));
        ACCESSES.put("string", bytes -> bytes.getString(bytes.byteSize() / 2));
        ACCESSES.put("volatile get", bytes ->
                (long) ValueLayout.JAVA_LONG.varHandle().getVolatile(bytes, LENGTH / 2));
        // What a load answers after a fault is anything; that it is used as an index must not hide the fault.
        ACCESSES.put("index", bytes -> new int[] {7}[bytes.get(ValueLayout.JAVA_INT, LENGTH / 2) | 1 << 20]);
        ACCESSES.put("error", bytes -> {
            bytes.get(ValueLayout.JAVA_INT, LENGTH / 2);
            throw new AssertionError("the sum of garbage is wrong");
        });
    }

    private final Kernel kernel = new Kernel();
    private Leaks leaks;
    private Path path;

    @TempDir
    Path folder;

    @BeforeEach
    void writeFile() throws Exception {
        path = Files.write(folder.resolve("data"), new byte[(int) LENGTH]);
        leaks = new Leaks(kernel);
    }

    @AfterEach
    void nothingLeft() {
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    static Stream<String> accesses() {
        return ACCESSES.keySet().stream();
    }

    private MappedFile open(Mode mode) throws Exception {
        return MappedFile.open(kernel, path, mode, kernel.account());
    }

    private void assertTold(MappedFileException thrown) {
        assertThat(thrown).isNotNull();
        assertThat(thrown.why()).isEqualTo(Cause.TRUNCATED);
        assertThat(thrown).hasMessageContaining(path + " was truncated to " + CUT + " bytes");
    }

    @ParameterizedTest
    @MethodSource("accesses")
    void everyAccessTellsOfATruncationBeforeIt(String name) throws Exception {
        try (MappedFile mapped = open(Mode.READ)) {
            VictimMain.truncate(path, CUT);
            assertTold(catchThrowableOfType(
                    MappedFileException.class, () -> mapped.access(0, LENGTH, ACCESSES.get(name))));
        }
    }

    @ParameterizedTest
    @MethodSource("accesses")
    void everyAccessTellsOfATruncationMeanwhile(String name) throws Exception {
        try (MappedFile mapped = open(Mode.READ)) {
            assertTold(catchThrowableOfType(
                    MappedFileException.class,
                    () -> mapped.access(0, LENGTH, bytes -> {
                        bytes.get(ValueLayout.JAVA_LONG, LENGTH - 8);
                        VictimMain.truncate(path, CUT);
                        return ACCESSES.get(name).on(bytes);
                    })));
        }
    }

    @Test
    void aTruncationAfterAnAccessSpoilsNothingThatWasRead() throws Exception {
        try (MappedFile mapped = open(Mode.READ)) {
            byte[] read = mapped.access(0, LENGTH, bytes -> bytes.toArray(ValueLayout.JAVA_BYTE));
            VictimMain.truncate(path, CUT);
            assertThat(read).isEqualTo(new byte[(int) LENGTH]);
            assertThat(mapped.<Byte, RuntimeException>access(CUT - 1, 1, bytes -> bytes.get(ValueLayout.JAVA_BYTE, 0)))
                    .as("what the file still has can still be read")
                    .isZero();
        }
    }

    @Test
    void zerosBehindTheNewEndAreNotTakenForContent() throws Exception {
        Files.write(path, "x".repeat((int) LENGTH).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        try (MappedFile mapped = open(Mode.READ)) {
            VictimMain.truncate(path, CUT);
            assertTold(catchThrowableOfType(
                    MappedFileException.class,
                    () -> mapped.access(0, CUT + 1, bytes -> bytes.get(ValueLayout.JAVA_BYTE, CUT))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"SHARED", "PRIVATE"})
    void storesTellOfIt(Mode mode) throws Exception {
        try (MappedFile mapped = open(mode)) {
            mapped.access(LENGTH / 2, 8, bytes -> bytes.fill((byte) 1)); // a private copy of a page goes too
            VictimMain.truncate(path, CUT);
            assertTold(catchThrowableOfType(
                    MappedFileException.class, () -> mapped.access(LENGTH / 2, 8, bytes -> bytes.fill((byte) 2))));
            assertTold(catchThrowableOfType(
                    MappedFileException.class,
                    () -> mapped.access(LENGTH / 2, 8, bytes -> {
                        bytes.set(ValueLayout.JAVA_LONG, 0, 1L);
                        return 0;
                    })));
        }
    }

    @Test
    void compiledCodeHearsOfItInTheAccessAndNotLater() throws Exception {
        try (MappedFile mapped = open(Mode.READ)) {
            long sum = 0;
            for (int i = 0; i < 100_000; i++) { // until C2 has inlined all of it
                sum += readOne(mapped, i * 8L & LENGTH - 8);
            }
            assertThat(sum).isZero();
            VictimMain.truncate(path, CUT);
            for (int i = 0; i < 1000; i++) {
                long at = LENGTH / 2 + i * 8L;
                assertTold(catchThrowableOfType(MappedFileException.class, () -> readOne(mapped, at)));
            }
        }
    }

    private static long readOne(MappedFile mapped, long at) throws Exception {
        return mapped.<Long, RuntimeException>access(at, 8, bytes -> bytes.get(ValueLayout.JAVA_LONG, 0));
    }

    @Test
    void controlACatchAroundTheAccessIsPassedByInCompiledCode() throws Exception {
        try (ChildJvm victim = victim("late")) {
            String printed = victim.rest();
            // Where it comes up depends on what is compiled: in the caller's try, or behind it.
            assertThat(printed).containsPattern("late [1-9]|InternalError[^\\n]*\\n[^\\n]*lateFaults");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"crc", "deflate", "compare-and-set"})
    void controlANativeMethodThatIsGivenTheMapDies(String what) throws Exception {
        try (ChildJvm victim = victim(what)) {
            assertThat(victim.rest()).contains("SIGBUS").doesNotContain("survived");
            assertThat(victim.status()).isNotZero();
        }
    }

    /// Interpreted it would be told of the fault like any access.
    @Test
    void controlAComparisonDiesOnceItIsCompiled() throws Exception {
        try (ChildJvm victim = victim(
                "mismatch",
                "-Xcomp -XX:TieredStopAtLevel=1 -XX:CompileCommand=quiet"
                        + " -XX:CompileCommand=compileonly,jdk.internal.foreign.*::*")) {
            assertThat(victim.rest()).contains("SIGBUS").doesNotContain("survived");
            assertThat(victim.status()).isNotZero();
        }
    }

    @Test
    void aChecksumOverBytesThatWereReadLives() throws Exception {
        try (ChildJvm victim = victim("guarded-crc")) {
            assertThat(victim.rest()).contains("TRUNCATED").contains("survived");
        }
    }

    private ChildJvm victim(String what) throws Exception {
        return victim(what, "");
    }

    private ChildJvm victim(String what, String options) throws Exception {
        return ChildJvm.start(
                List.of("env", "JAVA_TOOL_OPTIONS=-XX:ErrorFile=/dev/null -XX:-CreateCoredumpOnCrash " + options),
                ChildJvm.ownClasses(),
                VictimMain.class,
                what,
                path.toString());
    }

    @Test
    void aMapIsClosedWhenTheLastAccessHasEnded() throws Exception {
        MappedFile mapped = open(Mode.READ);
        mapped.access(0, LENGTH, bytes -> {
            mapped.close();
            return bytes.get(ValueLayout.JAVA_LONG, 8); // still there
        });
        assertThat(catchThrowableOfType(IllegalStateException.class, () -> readOne(mapped, 0)))
                .hasMessageContaining("was unmapped");
    }

    @Test
    void bytesThatAreKeptBeyondTheAccessCannotBeTouched() throws Exception {
        MemorySegment kept;
        try (MappedFile mapped = open(Mode.READ)) {
            kept = mapped.access(0, LENGTH, bytes -> bytes);
        }
        assertThat(catchThrowableOfType(IllegalStateException.class, () -> kept.get(ValueLayout.JAVA_BYTE, 0)))
                .isNotNull();
    }

    @Test
    void whatTheCodeThrowsItselfIsPassedOn() throws Exception {
        try (MappedFile mapped = open(Mode.READ)) {
            assertThat(catchThrowableOfType(
                            java.io.IOException.class,
                            () -> mapped.access(0, 8, _ -> {
                                throw new java.io.IOException("mine");
                            })))
                    .hasMessage("mine");
            assertThat(catchThrowableOfType(
                            InternalError.class,
                            () -> mapped.access(0, 8, _ -> {
                                throw new InternalError("mine too");
                            })))
                    .hasMessage("mine too");
        }
    }

    @Test
    void theCallsAreCountedInTheOwnersAccount() throws Exception {
        Account account = kernel.account().child("map");
        try (MappedFile mapped = MappedFile.open(kernel, path, Mode.READ, account)) {
            readOne(mapped, 0);
        }
        assertThat(account.count(dev.sluice.io.linux.Call.STATX).calls()).isEqualTo(2); // the length; after the access
    }
}
