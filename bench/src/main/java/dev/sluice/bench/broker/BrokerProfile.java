package dev.sluice.bench.broker;

import dev.sluice.bench.tools.KernelCopies;
import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Where a server's processor time goes during a work: `perf record` of the process, samples by cpu-clock with their
/// stacks. A sample in the kernel counts for the system call it was made in (what softirqs do on loopback, the
/// receiving side's TCP among it, is done within the sender's call); it is copying when the function on top copies
/// bytes. Samples in the JVM's own threads (compilers, collector) are one place.
///
/// @param samples by place; at each, those that copy and the rest
record BrokerProfile(Map<String, long[]> samples) {
    /// The entry of a call; where that jumps on to the rest of it, as sendmsg's does, only the rest is in the
    /// stack.
    private static final Pattern SYSTEM_CALL = Pattern.compile("_{2,4}(?:(?:x64|arm64|do|se)_)?sys_(\\w+)");
    /// The rest of calls whose names don't tell that they are: pwritev's is do_pwritev, and do_preadv is that of
    /// preadv and preadv2. Only next to the dispatcher; further in, functions of other calls are called like that.
    private static final Pattern REST_OF_CALL = Pattern.compile("(?:ksys_|do_)(\\w+)");
    /// What all calls go through, on x86-64 and on aarch64.
    private static final Pattern DISPATCHER =
            Pattern.compile("do_syscall_64|x64_sys_call|(?:__)?invoke_syscall(?:\\..*)?");
    private static final Pattern JVM_THREAD = Pattern.compile(
            "(C1 |C2 |VM |GC |G1 |Sweeper|Signal |Service|Monitor|Common-Clean|Notification|Finalizer).*");
    /// The JVM names its assembler routines by the blob they lie in, not each. The checksum is the one in this blob
    /// that a broker calls; the others are of CRC-32, sines and logarithms, and of entering Java from outside.
    private static final String CRC_STUBS = "stubroutines (initialstubs)";
    private static final int COPYING = 0;
    private static final int OTHER = 1;

    /// Samples that are being taken of a server. Closing stops it; only then they can be read.
    static final class Recording implements AutoCloseable {
        private final String pid;
        private final Path data;
        private final Process perf;

        Recording(Server server) throws IOException, InterruptedException {
            if (!Tools.isInstalled("perf")) {
                throw new IOException("perf is not installed (Debian: apt install linux-perf)");
            }
            pid = Long.toString(server.pid());
            data = Files.createTempFile("sluice-bench", ".perf");
            perf = new ProcessBuilder(
                            "perf",
                            "record",
                            "-q",
                            "-e",
                            "cpu-clock",
                            "-F",
                            "1999",
                            "-g",
                            "-p",
                            pid,
                            "-o",
                            data.toString())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        }

        @Override
        public void close() throws InterruptedException {
            perf.destroy();
            perf.waitFor();
        }

        /// Reads the samples, and deletes them.
        BrokerProfile read() throws IOException, InterruptedException {
            try {
                // Writes the names of compiled code where perf looks for them.
                Tools.run(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(), pid, "Compiler.perfmap"));
                Tools.Ended script =
                        Tools.run(List.of("perf", "script", "-i", data.toString(), "-F", "comm,ip,sym,dso"));
                if (script.exitCode() != 0) {
                    throw new IOException("perf script failed:\n" + script.output());
                }
                return parse(script.output());
            } finally {
                Files.delete(data);
                Files.deleteIfExists(Path.of("/tmp", "perf-" + pid + ".map"));
            }
        }
    }

    /// @param script for each sample a line with the thread's name, one for each function from the top down,
    ///     "ffffffff81234567 function (where)", and an empty one
    static BrokerProfile parse(String script) {
        Map<String, long[]> samples = new TreeMap<>();
        for (String sample : script.split("\n\\s*\n")) {
            List<String> lines = new ArrayList<>(sample.lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .toList());
            if (lines.size() < 2) {
                continue;
            }
            String thread = lines.removeFirst();
            List<String> stack = lines.stream().map(BrokerProfile::function).toList();
            boolean copies = KernelCopies.isCopy(stack.getFirst());
            samples.computeIfAbsent(place(thread, stack, lines), _ -> new long[2])[copies ? COPYING : OTHER]++;
        }
        return new BrokerProfile(samples);
    }

    private static String function(String frame) {
        String[] words = frame.split(" +", 2);
        String rest = words.length < 2 ? "" : words[1];
        int where = rest.lastIndexOf(" (");
        return where < 0 ? rest : rest.substring(0, where);
    }

    private static String place(String thread, List<String> stack, List<String> frames) {
        if (JVM_THREAD.matcher(thread).matches()) {
            return "JVM's own threads";
        }
        String callee = "";
        for (String function : stack) {
            Matcher call = SYSTEM_CALL.matcher(function);
            if (call.matches()) {
                return call.group(1);
            }
            if (function.startsWith("asm_exc_page_fault") || function.startsWith("el0_da")) {
                return "page faults";
            }
            if (DISPATCHER.matcher(function).matches()) {
                return ofDispatcher(callee);
            }
            callee = function;
        }
        String top = stack.getFirst().toLowerCase(Locale.ROOT);
        if (top.contains("crc32c") || top.contains(CRC_STUBS)) {
            return "CRC-32C";
        }
        if (frames.getFirst().contains("libjvm.so")) {
            return "JVM runtime";
        }
        return frames.getFirst().contains("([kernel") ? "kernel, " + stack.getFirst() : "Java";
    }

    /// @param callee what the dispatcher of system calls has called, empty when it is at work itself
    private static String ofDispatcher(String callee) {
        if (callee.isEmpty() || callee.startsWith("exit_to_user_mode") || callee.startsWith("syscall_exit")) {
            return "entering and leaving calls";
        }
        Matcher rest = REST_OF_CALL.matcher(callee);
        return rest.matches() ? rest.group(1) : callee;
    }

    /// @param cost what all of it comes to, to be shared out
    /// @param unit of the cost
    String table(double cost, String unit) {
        long all = samples.values().stream()
                .mapToLong(each -> each[COPYING] + each[OTHER])
                .sum();
        return samples.entrySet().stream()
                .sorted((a, b) -> Long.compare(total(b), total(a)))
                .filter(each -> total(each) * 200 >= all)
                .map(each -> String.format(
                        Locale.ROOT,
                        "| %s | %.0f%% | %.0f%% | %.3f |%n",
                        each.getKey(),
                        100.0 * total(each) / all,
                        100.0 * each.getValue()[COPYING] / all,
                        cost * total(each) / all))
                .collect(Collectors.joining(
                        "",
                        String.format(
                                Locale.ROOT,
                                "| where (%,d samples) | of all | copying | %s |%n|---|---|---|---|%n",
                                all,
                                unit),
                        ""));
    }

    private static long total(Map.Entry<String, long[]> place) {
        return place.getValue()[COPYING] + place.getValue()[OTHER];
    }
}
