package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What our accounts count is what the kernel was asked: `strace -c -f` of a process that makes transfers by every
/// method.
///
/// The JVM makes calls of its own. Those that it never makes must agree exactly; of the others, so must the difference
/// between a process that makes the transfers and one that makes them twice as often, to which start and end add
/// nothing.
@Tag("strace")
@RequiresProgram("strace")
class StraceTest {
    private static final List<String> OURS_ALONE = List.of(
            "sendfile",
            "splice",
            "copy_file_range",
            "sendto",
            "sendmsg",
            "recvfrom",
            "recvmsg",
            "pwrite64",
            "pwritev2",
            "pipe2",
            "accept4");

    private static final List<String> JVM_TOO = List.of(
            "pread64",
            "poll",
            "fcntl",
            "ioctl",
            "setsockopt",
            "getsockopt",
            "getsockname",
            "socket",
            "socketpair",
            "connect",
            "listen",
            "bind");

    @TempDir
    Path folder;

    /// Calls and errors of one system call.
    record Count(long calls, long errors) {}

    @BeforeEach
    void straceIsThere() throws Exception {
        Commands.assume("strace", "-f", "-o", "/dev/null", "true");
    }

    @Test
    void theAccountAgreesWithStrace() throws Exception {
        Map<String, Count> countedOnce = new TreeMap<>();
        Map<String, Count> tracedOnce = new TreeMap<>();
        trace(1, countedOnce, tracedOnce);
        Map<String, Count> counted = new TreeMap<>();
        Map<String, Count> traced = new TreeMap<>();
        trace(3, counted, traced);
        for (String call : OURS_ALONE) {
            assertThat(counted.get(call)).as(call).isEqualTo(traced.getOrDefault(call, new Count(0, 0)));
        }
        for (String call : JVM_TOO) {
            assertThat(difference(counted, countedOnce, call)).as(call).isEqualTo(difference(traced, tracedOnce, call));
        }
        // Control: it isn't that nothing was counted.
        assertThat(counted.get("splice").calls())
                .isGreaterThan(countedOnce.get("splice").calls());
    }

    private static long difference(Map<String, Count> more, Map<String, Count> less, String call) {
        return more.getOrDefault(call, new Count(0, 0)).calls()
                - less.getOrDefault(call, new Count(0, 0)).calls();
    }

    private void trace(int times, Map<String, Count> counted, Map<String, Count> traced) throws Exception {
        Path summary = folder.resolve("strace");
        List<String> command = new ArrayList<>(List.of("strace", "-f", "-c", "-o", summary.toString()));
        command.addAll(Commands.java(
                List.of("-Xmx64m"), CountedMain.class, folder.toString(), "every", Integer.toString(times)));
        for (String line : Commands.run(command).lines().toList()) {
            String[] words = line.split(" ");
            counted.put(words[0], new Count(Long.parseLong(words[1]), Long.parseLong(words[2])));
        }
        // % time, seconds, usecs/call, calls, errors (or nothing), syscall
        for (String line : Files.readAllLines(summary)) {
            String[] words = line.strip().split("\\s+");
            if (words.length >= 5 && words[0].matches("[0-9.]+") && !words[words.length - 1].equals("total")) {
                long errors = words.length == 6 ? Long.parseLong(words[4]) : 0;
                traced.put(words[words.length - 1], new Count(Long.parseLong(words[3]), errors));
            }
        }
    }
}
