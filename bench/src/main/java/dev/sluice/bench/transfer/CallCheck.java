package dev.sluice.bench.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Whether the account's system calls are the kernel's: `strace -c -f` over a child that transfers twice, less the same
/// over a child that transfers once, is what the second transfer cost. Start-up, the loading of classes and the making
/// of pools cancel out. The child's JVM only interprets, so that no compiler thread maps memory meanwhile.
final class CallCheck {
    /// Calls that the harness itself makes around a transfer: it waits for the connection, and for its end. They
    /// are no part of the transfer and so not of its account.
    static final Map<String, Long> HARNESS = Map.of("poll", 1L, "recvfrom", 1L);

    /// Calls that the JVM makes when it likes: for these, some more or fewer say nothing.
    static final Map<String, Long> JVM_SLACK = Map.of("mmap", 8L, "munmap", 8L, "madvise", 8L);

    /// @param counted    by the account
    /// @param traced     by strace, for one transfer
    /// @param ofHarness  how many of these the harness makes itself
    /// @param slackCalls how far the two may be apart
    record Line(String call, long counted, long traced, long ofHarness, long slackCalls) {
        boolean agrees() {
            return Math.abs(traced - ofHarness - counted) <= slackCalls;
        }
    }

    // "% time  seconds  usecs/call  calls  [errors]  syscall"
    private static final Pattern SUMMARY = Pattern.compile("^ *[\\d.]+ +[\\d.]+ +\\d+ +(\\d+) +(?:\\d+ +)?(\\w+)$");

    /// What moves bytes or handles their memory. A call of these that strace saw and the account didn't is a
    /// disagreement too.
    private static final List<String> RELEVANT = List.of(
            "copy_file_range",
            "mmap",
            "munmap",
            "poll",
            "pread64",
            "pwrite64",
            "recvfrom",
            "sendfile",
            "sendmsg",
            "sendto",
            "splice",
            "statx");

    private final Programs programs;
    private final Sample sample;

    CallCheck(Programs programs, Sample sample) {
        this.programs = programs;
        this.sample = sample;
    }

    /// @param discarding a receiver that nobody else sends to meanwhile
    List<Line> of(Subject subject, int chunkBytes, Receiver discarding) throws IOException, InterruptedException {
        Traced once = trace(subject, chunkBytes, discarding, 1);
        Traced twice = trace(subject, chunkBytes, discarding, 2);
        Map<String, Long> difference = new TreeMap<>(twice.calls());
        once.calls().forEach((call, count) -> difference.merge(call, -count, Long::sum));
        return lines(twice.last().calls(), difference);
    }

    /// @param counted by the account, by the kernel's names
    /// @param traced  by strace
    static List<Line> lines(Map<String, Long> counted, Map<String, Long> traced) {
        TreeSet<String> calls = new TreeSet<>(RELEVANT);
        calls.addAll(counted.keySet());
        List<Line> lines = new ArrayList<>();
        for (String call : calls) {
            Line line = new Line(
                    call,
                    counted.getOrDefault(call, 0L),
                    traced.getOrDefault(call, 0L),
                    HARNESS.getOrDefault(call, 0L),
                    JVM_SLACK.getOrDefault(call, 0L));
            if (line.counted() > 0 || line.traced() != 0) {
                lines.add(line);
            }
        }
        return lines;
    }

    private record Traced(Map<String, Long> calls, Sent last) {}

    private Traced trace(Subject subject, int chunkBytes, Receiver discarding, int transfers)
            throws IOException, InterruptedException {
        Path summary = Files.createTempFile("sluice-bench", ".strace");
        List<String> command = new ArrayList<>(List.of("strace", "-c", "-f", "-o", summary.toString(), "--"));
        command.addAll(programs.command(subject.program, sample.path(), "-Xint"));
        try (Child child = new Child(command)) {
            String answer = "";
            for (int i = 0; i < transfers; i++) {
                child.tell(subject.way + " " + chunkBytes + " " + discarding.port());
                answer = child.answer();
                Sent.parse(answer);
                discarding.received();
            }
            child.finish();
            return new Traced(parse(Files.readString(summary)), Sent.parse(answer));
        } finally {
            Files.delete(summary);
        }
    }

    static Map<String, Long> parse(String summary) {
        Map<String, Long> calls = new TreeMap<>();
        for (String line : summary.split("\n")) {
            Matcher matcher = SUMMARY.matcher(line);
            if (matcher.matches() && !matcher.group(2).equals("total")) {
                calls.put(matcher.group(2), Long.parseLong(matcher.group(1)));
            }
        }
        return calls;
    }
}
