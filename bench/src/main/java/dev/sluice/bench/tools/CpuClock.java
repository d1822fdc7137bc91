package dev.sluice.bench.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// CPU time from /proc, in seconds; the kernel counts it in hundredths (USER_HZ).
public final class CpuClock {
    private static final double TICKS_PER_SECOND = 100;

    private CpuClock() {}

    /// Of this process: utime and stime of proc_pid_stat(5), fields 14 and 15.
    public static double processSeconds() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
    }

    /// Of all processors: everything but idle and iowait of proc_stat(5). What the hypervisor took (steal) is left
    /// out.
    public static double machineSeconds() throws IOException {
        String[] fields = Files.readString(Path.of("/proc/stat"))
                .lines()
                .findFirst()
                .orElseThrow()
                .split("\\s+");
        long busy = 0;
        for (int i = 1; i <= 7; i++) {
            if (i != 4 && i != 5) {
                busy += Long.parseLong(fields[i]);
            }
        }
        return busy / TICKS_PER_SECOND;
    }
}
