package dev.sluice.bench.direct;

import dev.sluice.bench.tools.CpuClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/// Runs a workload by fio, with io_uring, registered buffers and files, and without its latency clocks: as fast as it
/// goes.
final class FioRunner {
    // Fields of `--terse-version=3`, from 0: runtimes in ms, CPU in percent.
    private static final int READ_RUNTIME = 8;
    private static final int WRITE_RUNTIME = 49;
    private static final int USER_PERCENT = 87;
    private static final int SYSTEM_PERCENT = 88;

    private FioRunner() {}

    static Run run(Workload workload, Path file, long fileBytes) throws IOException, InterruptedException {
        double machineBefore = CpuClock.machineSeconds();
        Process fio = new ProcessBuilder(List.of(
                        "fio",
                        "--name=" + workload.name(),
                        "--filename=" + file,
                        "--size=" + fileBytes,
                        "--io_size=" + workload.totalBytes(),
                        "--rw=" + (workload.random() ? "rand" : "") + (workload.writes() ? "write" : "read"),
                        "--bs=" + workload.blockBytes(),
                        "--iodepth=" + workload.depth(),
                        "--direct=1",
                        "--ioengine=io_uring",
                        "--fixedbufs",
                        "--registerfiles",
                        "--gtod_reduce=1",
                        "--randrepeat=0",
                        "--norandommap",
                        "--invalidate=0",
                        "--output-format=terse",
                        "--terse-version=3"))
                .redirectErrorStream(true)
                .start();
        String printed = new String(fio.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (fio.waitFor() != 0) {
            throw new IOException("fio: " + printed);
        }
        double machine = CpuClock.machineSeconds() - machineBefore;
        String[] fields = printed.lines()
                .filter(line -> line.startsWith("3;"))
                .findFirst()
                .orElseThrow(() -> new IOException("fio printed " + printed))
                .split(";");
        double seconds = Long.parseLong(fields[workload.writes() ? WRITE_RUNTIME : READ_RUNTIME]) / 1000.0;
        double process = (percent(fields[USER_PERCENT]) + percent(fields[SYSTEM_PERCENT])) / 100 * seconds;
        return new Run(workload, seconds, process, machine);
    }

    private static double percent(String field) {
        return Double.parseDouble(field.replace("%", ""));
    }
}
