package dev.sluice.systemtest;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// strace attached to a process: every system call of all its threads, with its result; or a fault in some of them.
final class Strace implements AutoCloseable {
    /// @param calls  calls that ended, failed ones included
    /// @param errors those that failed
    /// @param bytes  sum of the results of those that did not
    record Count(long calls, long errors, long bytes) {
        static final Count NONE = new Count(0, 0, 0);

        Count plus(long result) {
            return result < 0 ? new Count(calls + 1, errors + 1, bytes) : new Count(calls + 1, errors, bytes + result);
        }
    }

    // "12345 recvfrom(7, "..."..., 65536, 0, NULL, NULL) = 65536", or its end after "<... recvfrom resumed>"
    private static final Pattern ENDED =
            Pattern.compile("^\\d+ +(?:<\\.\\.\\. (\\w+) resumed>.*|(\\w+)\\(.*) = (-?\\d+)(?: .*)?$");

    private final Process process;
    private final Path output;

    private Strace(Process process, Path output) {
        this.process = process;
        this.output = output;
    }

    static Strace attach(long pid) throws IOException, InterruptedException {
        return attach(pid, List.of("-e", "trace=all"));
    }

    /// Has the kernel answer some calls otherwise.
    ///
    /// @param call  its name, such as `fdatasync`
    /// @param fault `error=EIO:when=1`; calls are counted for each thread
    static Strace inject(long pid, String call, String fault) throws IOException, InterruptedException {
        return attach(pid, List.of("-e", "trace=" + call, "-e", "inject=" + call + ":" + fault));
    }

    private static Strace attach(long pid, List<String> what) throws IOException, InterruptedException {
        Path output = Files.createTempFile("sluice", ".strace");
        Path messages = Files.createTempFile("sluice", ".strace-messages");
        List<String> command = new ArrayList<>(List.of("strace", "-f", "-s", "0"));
        command.addAll(what);
        command.addAll(List.of("-e", "signal=none", "-o", output.toString(), "-p", Long.toString(pid)));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(messages.toFile())
                .start();
        try {
            for (int looks = 0; !Files.readString(messages).contains("attached"); looks++) {
                CampaignFailure.require(
                        process.isAlive() && looks < 1_000, "strace did not attach:\n" + Files.readString(messages));
                Thread.sleep(10);
            }
        } finally {
            messages.toFile().delete();
        }
        return new Strace(process, output);
    }

    /// Ends the trace and adds it up, by system call.
    Map<String, Count> counts() throws IOException, InterruptedException {
        process.destroy(); // SIGTERM: strace detaches and leaves the process running
        CampaignFailure.require(process.waitFor(60, TimeUnit.SECONDS), "strace did not end");
        Map<String, Count> counts = new TreeMap<>();
        try (BufferedReader lines = Files.newBufferedReader(output)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher matcher = ENDED.matcher(line);
                if (matcher.matches()) {
                    String call = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
                    long result = Long.parseLong(matcher.group(3));
                    counts.merge(call, Count.NONE.plus(result), (old, _) -> old.plus(result));
                }
            }
        }
        return counts;
    }

    /// Those calls that carry bytes, whatever their direction.
    static List<String> carriers() {
        return List.of(
                "read",
                "pread64",
                "readv",
                "preadv",
                "preadv2",
                "recvfrom",
                "recvmsg",
                "write",
                "pwrite64",
                "writev",
                "pwritev",
                "pwritev2",
                "sendto",
                "sendmsg",
                "sendfile",
                "splice",
                "tee",
                "vmsplice",
                "copy_file_range");
    }

    @Override
    public void close() {
        process.destroyForcibly();
        output.toFile().delete();
    }
}
