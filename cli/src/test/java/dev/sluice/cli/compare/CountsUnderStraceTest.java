package dev.sluice.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Kernel;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The calls that a comparison shows are those that the kernel was asked for: `strace -c -f` of a process that moves a
/// file by one way, four times and once. What the JVM needs to start is the same in both and falls out of the
/// difference; what is left over is what the harness does around a move, some dozens of calls where the way makes
/// hundreds.
@Tag("strace")
@RequiresProgram("strace")
@Timeout(180)
class CountsUnderStraceTest {
    private static final int LENGTH_BYTES = 2 << 20;
    private static final int PIECE_BYTES = 4096;

    /// Of one move: opening ends and asking the other side; getrusage and /proc around it; a new file to write to.
    private static final int HARNESS_CALLS = 80;

    /// Calls that the JVM's other threads make at times of their own.
    private static final Set<String> NOT_OF_THE_MOVE = Set.of(
            "futex",
            "mprotect",
            "madvise",
            "sched_yield",
            "rt_sigprocmask",
            "rt_sigaction",
            "restart_syscall",
            "clone3",
            "clock_nanosleep",
            "rseq",
            "set_robust_list",
            "gettid",
            "prctl",
            "total");

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "FILE_TO_SOCKET, sluice, read+write",
        "FILE_TO_SOCKET, sluice, mmap+write",
        "FILE_TO_SOCKET, sluice, sendfile",
        "FILE_TO_SOCKET, sluice, splice",
        "FILE_TO_SOCKET, JDK, direct buffer",
        "FILE_TO_SOCKET, JDK, FileChannel.transferTo",
        "FILE_TO_FILE, sluice, copy_file_range",
        "FILE_TO_MEMORY, sluice, 'direct, depth 1'",
        "FILE_TO_MEMORY, sluice, pread"
    })
    void whatARowSaysIsWhatTheKernelWasAskedFor(Direction direction, String family, String name) throws Exception {
        byte[] bytes = new byte[LENGTH_BYTES];
        new Random(19).nextBytes(bytes);
        Path file = Files.write(folder.resolve("file"), bytes);
        long[] once = trace(1, file, direction, family, name);
        long[] often = trace(4, file, direction, family, name);

        long told = often[0] - once[0];
        long traced = often[1] - once[1];
        assertThat(told).isGreaterThanOrEqualTo(3L * LENGTH_BYTES / PIECE_BYTES);
        assertThat(traced).as("calls of three moves, %s told", told).isBetween(told, told + 3 * HARNESS_CALLS);
    }

    /// @return calls told, calls traced
    private long[] trace(int times, Path file, Direction direction, String family, String name)
            throws IOException, InterruptedException {
        Path summary = folder.resolve("strace" + times);
        try (PeerServer server =
                PeerServer.open(new Kernel(), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
            Thread serving = Thread.ofPlatform().daemon().start(() -> {
                try {
                    server.serveOne();
                } catch (IOException e) {
                    // the test notices
                }
            });
            List<String> command = new ArrayList<>(List.of("strace", "-f", "-c", "-o", summary.toString()));
            command.addAll(Commands.java(
                    List.of("-Xint", "-Xmx64m"),
                    CountedWaysMain.class,
                    direction.name(),
                    family,
                    name,
                    Integer.toString(times),
                    Integer.toString(PIECE_BYTES),
                    file.toString(),
                    folder.resolve("sink").toString(),
                    server.address().replaceFirst(".*:", "")));
            String said = Commands.run(command);
            serving.join();
            long told = said.lines()
                    .filter(line -> line.startsWith("calls "))
                    .mapToLong(line -> Long.parseLong(line.substring("calls ".length())))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(said));
            return new long[] {told, calls(Files.readAllLines(summary))};
        }
    }

    /// % time, seconds, usecs/call, calls, errors (or nothing), syscall
    private static long calls(List<String> summary) {
        return summary.stream()
                .map(line -> line.strip().split("\\s+"))
                .filter(words -> words.length >= 5
                        && words[0].matches("[0-9.]+")
                        && !NOT_OF_THE_MOVE.contains(words[words.length - 1]))
                .mapToLong(words -> Long.parseLong(words[3]))
                .sum();
    }
}
