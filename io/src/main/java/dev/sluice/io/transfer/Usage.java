package dev.sluice.io.transfer;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Resources;
import dev.sluice.io.transfer.Figure.Measured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What was used between two moments, read from the kernel's own counters: for a transfer, or around anything else that
/// shall be compared with one.
///
/// @param scope             whose processor time, faults, switches and device reads these are; interrupts are always
///                          the machine's
/// @param elapsedNs         wall clock
/// @param resources         differences of getrusage
/// @param deviceReadBytes   bytes that the scope caused to be read from devices (read_bytes of /proc/…/io,
///     proc_pid_io(5)), read-ahead too; -1 where the kernel doesn't tell
/// @param interrupts        by the label of /proc/interrupts, those that happened at all
/// @param softirqs          by the label of /proc/softirqs, likewise
public record Usage(
        Scope scope,
        long elapsedNs,
        Resources.Totals resources,
        long deviceReadBytes,
        Map<String, Long> interrupts,
        Map<String, Long> softirqs) {
    /// Whose usage.
    public enum Scope {
        /// The calling platform thread's.
        THREAD("getrusage(RUSAGE_THREAD)", "/proc/thread-self/io", Measured.Scope.THREAD),
        /// All threads' together.
        PROCESS("getrusage(RUSAGE_SELF)", "/proc/self/io", Measured.Scope.PROCESS);

        private final String rusage;
        private final String ioFile;
        private final Measured.Scope figureScope;

        Scope(String rusage, String ioFile, Measured.Scope figureScope) {
            this.rusage = rusage;
            this.ioFile = ioFile;
            this.figureScope = figureScope;
        }
    }

    /// A moment, to be compared with a later one. Use it on the thread that made it, for [Scope#THREAD].
    public static final class Probe {
        private final Kernel kernel;
        private final Scope scope;
        private final Map<String, Long> interrupts;
        private final Map<String, Long> softirqs;
        private final long deviceReadBytes;
        private final Resources.Totals resources;
        private final long startNs;

        private Probe(Kernel kernel, Scope scope) throws ErrnoException {
            this.kernel = kernel;
            this.scope = scope;
            // The dear ones first, so that they are not in what is measured.
            this.interrupts = machineCounters("/proc/interrupts");
            this.softirqs = machineCounters("/proc/softirqs");
            this.deviceReadBytes = readBytes(scope);
            this.resources = totals(kernel, scope);
            this.startNs = System.nanoTime();
        }

        /// What was used since the probe was made. May be called more than once.
        public Usage stop() throws ErrnoException {
            long elapsedNs = System.nanoTime() - startNs;
            Resources.Totals now = totals(kernel, scope);
            long readBytesNow = readBytes(scope);
            return new Usage(
                    scope,
                    elapsedNs,
                    new Resources.Totals(
                            now.userNs() - resources.userNs(),
                            now.systemNs() - resources.systemNs(),
                            now.minorFaults() - resources.minorFaults(),
                            now.majorFaults() - resources.majorFaults(),
                            now.voluntarySwitches() - resources.voluntarySwitches(),
                            now.involuntarySwitches() - resources.involuntarySwitches()),
                    readBytesNow < 0 || deviceReadBytes < 0 ? -1 : readBytesNow - deviceReadBytes,
                    difference(interrupts, machineCounters("/proc/interrupts")),
                    difference(softirqs, machineCounters("/proc/softirqs")));
        }
    }

    /// Begins to measure.
    public static Probe start(Kernel kernel, Scope scope) throws ErrnoException {
        return new Probe(kernel, scope);
    }

    /// All of it as figures for a table.
    public List<Measured> figures() {
        List<Measured> figures = new ArrayList<>();
        figures.add(new Measured("elapsed", elapsedNs, "ns", Measured.Scope.MACHINE, "System.nanoTime"));
        add(figures, "CPU time, user", resources.userNs(), "ns");
        add(figures, "CPU time, system", resources.systemNs(), "ns");
        add(figures, "minor page faults", resources.minorFaults(), "faults");
        add(figures, "major page faults", resources.majorFaults(), "faults");
        add(figures, "voluntary context switches", resources.voluntarySwitches(), "switches");
        add(figures, "involuntary context switches", resources.involuntarySwitches(), "switches");
        if (deviceReadBytes >= 0) {
            figures.add(new Measured(
                    "read from devices", deviceReadBytes, "bytes", scope.figureScope, scope.ioFile + " read_bytes"));
        }
        figures.add(
                new Measured("interrupts", sum(interrupts), "interrupts", Measured.Scope.MACHINE, "/proc/interrupts"));
        figures.add(new Measured("softirqs", sum(softirqs), "softirqs", Measured.Scope.MACHINE, "/proc/softirqs"));
        return figures;
    }

    private void add(List<Measured> figures, String name, long value, String unit) {
        figures.add(new Measured(name, value, unit, scope.figureScope, scope.rusage));
    }

    private static long sum(Map<String, Long> counters) {
        return counters.values().stream().mapToLong(Long::longValue).sum();
    }

    private static Resources.Totals totals(Kernel kernel, Scope scope) throws ErrnoException {
        return scope == Scope.THREAD
                ? kernel.resources().ofThread()
                : kernel.resources().ofProcess();
    }

    private static long readBytes(Scope scope) {
        try {
            for (String line : Files.readAllLines(Path.of(scope.ioFile))) {
                if (line.startsWith("read_bytes:")) {
                    return Long.parseLong(line.substring("read_bytes:".length()).strip());
                }
            }
        } catch (IOException e) {
            return -1; // a kernel without CONFIG_TASK_IO_ACCOUNTING, or a sandbox without /proc
        }
        return -1;
    }

    private static Map<String, Long> machineCounters(String file) {
        try {
            return parse(Files.readAllLines(Path.of(file)));
        } catch (IOException e) {
            return Map.of(); // a sandbox
        }
    }

    /// Lines of `LABEL: count count … words`, a count a processor. A label that is only a number gets the device's
    /// name, which is the last word. The head line, which has no label, is left out.
    static Map<String, Long> parse(List<String> lines) {
        Map<String, Long> counters = new TreeMap<>();
        for (String line : lines) {
            int colon = line.indexOf(':');
            if (colon < 0) {
                continue;
            }
            long sum = 0;
            String label = line.substring(0, colon).strip();
            for (String word : line.substring(colon + 1).strip().split("\\s+")) {
                if (!isNumber(word)) {
                    break; // the words that name the device
                }
                sum += Long.parseLong(word);
            }
            counters.put(isNumber(label) ? label + line.substring(line.lastIndexOf(' ')) : label, sum);
        }
        return counters;
    }

    private static boolean isNumber(String word) {
        return !word.isEmpty() && word.chars().allMatch(Character::isDigit);
    }

    private static Map<String, Long> difference(Map<String, Long> before, Map<String, Long> after) {
        Map<String, Long> difference = new TreeMap<>();
        after.forEach((label, count) -> {
            long more = count - before.getOrDefault(label, 0L);
            if (more != 0) {
                difference.put(label, more);
            }
        });
        return difference;
    }
}
