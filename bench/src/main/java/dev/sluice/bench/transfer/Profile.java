package dev.sluice.bench.transfer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// Where a sender's processor time goes: `perf record` over the program, samples of the thread that sends. Sampled by
/// cpu-clock, which is a timer and works where there are no hardware counters; it can't fire while interrupts are off,
/// so time in such sections goes to their end.
///
/// The receiver is another process and discards in the kernel, so no copy of its is in the samples.
///
/// @param samples    of the sending thread
/// @param copying    of those, in kernel functions that copy bytes
/// @param cpuCopies  copies of each byte that the account derives; -1 when there is no account
/// @param byFunction samples by function, most first
record Profile(Subject subject, int chunkBytes, long samples, long copying, double cpuCopies, List<Line> byFunction) {
    record Line(String function, long samples) {}

    /// The kernel's copy loops on x86-64 and aarch64, by the names they have had from Linux 5.10 to 6.18.
    static final Pattern COPY = Pattern.compile(
            "_?_?(arch_)?(raw_)?(inline_)?copy_(to|from)_user.*|_?copy_(to|from)_iter.*|copy_page_(to|from)_iter.*|copy_user_.*"
                    + "|rep_movs.*|__?memcpy.*|memcpy.*|__pi_memcpy.*|skb_copy_(bits|datagram.*|and_csum.*|expand|to_.*)|__skb_datagram_iter|copy_folio.*|copy_page.*"
                    + "|copyin|copyout|__arch_copy_(to|from)_user|csum_and_copy_.*|csum_partial_copy.*");

    double copyShare() {
        return samples == 0 ? 0 : (double) copying / samples;
    }

    /// Profiles a sender that transfers so many times. Its first transfers, still interpreted, are in the samples:
    /// take several.
    static Profile of(
            Programs programs, Sample sample, Subject subject, int chunkBytes, int transfers, Receiver discarding)
            throws IOException, InterruptedException {
        Path data = Files.createTempFile("sluice-bench", ".perf");
        List<String> command = new ArrayList<>(
                List.of("perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-o", data.toString(), "--"));
        command.addAll(programs.command(subject.program, sample.path()));
        double cpuCopies = -1;
        try {
            try (Child child = new Child(command)) {
                for (int i = 0; i < transfers; i++) {
                    child.tell(subject.way + " " + chunkBytes + " " + discarding.port());
                    cpuCopies = Sent.parse(child.answer()).cpuCopies();
                    discarding.received();
                }
                child.finish();
            }
            Programs.Ended script = Programs.run(
                    List.of("perf", "script", "-i", data.toString(), "-F", "comm,ip,sym", "--comms", "sender"));
            if (script.exitCode() != 0) {
                throw new IOException("perf script failed:\n" + script.output());
            }
            return parse(subject, chunkBytes, cpuCopies, script.output());
        } finally {
            Files.delete(data);
        }
    }

    /// @param script lines "sender  ffffffff81234567 function"
    static Profile parse(Subject subject, int chunkBytes, double cpuCopies, String script) {
        Map<String, Long> functions = new HashMap<>();
        long samples = 0;
        long copying = 0;
        for (String line : script.split("\n")) {
            String[] words = line.strip().split(" +", 3);
            if (words.length < 3 || !words[0].equals("sender")) {
                continue;
            }
            samples++;
            if (COPY.matcher(words[2]).matches()) {
                copying++;
            }
            functions.merge(words[2], 1L, Long::sum);
        }
        List<Line> lines = functions.entrySet().stream()
                .map(entry -> new Line(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingLong(Line::samples).reversed().thenComparing(Line::function))
                .toList();
        return new Profile(subject, chunkBytes, samples, copying, cpuCopies, lines);
    }
}
