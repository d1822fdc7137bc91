package dev.sluice.bench.broker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// A server that is measured: a process of its own, whose data is thrown away when it is closed.
final class Server implements AutoCloseable {
    private static final long START_NS = TimeUnit.SECONDS.toNanos(90);
    private static final long LOOK_MS = 5;

    private final String label;
    private final List<String> command;
    private final Path folder;
    private final Pattern listens;
    private Process process;
    private int port;

    private Server(String label, List<String> command, Path folder, Pattern listens)
            throws IOException, InterruptedException {
        this.label = label;
        this.command = command;
        this.folder = folder;
        this.listens = listens;
        this.process = begin();
        this.port = awaitPort();
    }

    /// Starts a server and waits until its output tells the port.
    ///
    /// @param folder   a new folder for its data and its output
    /// @param listens  finds the port, as its first group, in what the server prints
    static Server start(String label, List<String> command, Path folder, Pattern listens)
            throws IOException, InterruptedException {
        return new Server(label, command, folder, listens);
    }

    private Process begin() throws IOException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(folder.resolve("output").toFile())
                .start();
    }

    private int awaitPort() throws IOException, InterruptedException {
        Path output = folder.resolve("output");
        long begunNs = System.nanoTime();
        while (true) {
            Matcher matcher = listens.matcher(Files.readString(output));
            if (matcher.find()) {
                return Integer.parseInt(matcher.group(1));
            }
            if (!process.isAlive() || System.nanoTime() - begunNs > START_NS) {
                process.destroyForcibly();
                throw new IOException(label + " did not start:\n" + Files.readString(output));
            }
            Thread.sleep(LOOK_MS);
        }
    }

    /// Ends the server as an operator does.
    void stop() throws IOException, InterruptedException {
        process.destroy();
        if (!process.waitFor(START_NS, TimeUnit.NANOSECONDS)) {
            throw new IOException(label + " did not end");
        }
    }

    /// Ends it as a crash does: what it would have done at its end is not done.
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /// Starts it again on the same data; its port may be another one.
    void startAgain() throws IOException, InterruptedException {
        process = begin();
        port = awaitPort();
    }

    String label() {
        return label;
    }

    long pid() {
        return process.pid();
    }

    int port() {
        return port;
    }

    String bootstrap() {
        return "127.0.0.1:" + port;
    }

    /// Where its data and its output are.
    Path folder() {
        return folder;
    }

    /// What all its threads that live have used so far, in nanoseconds, by the scheduler's own count.
    long cpuNs() throws IOException {
        return cpuNs(process.pid());
    }

    /// The same of any process.
    static long cpuNs(long pid) throws IOException {
        try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid), "task"))) {
            return threads.mapToLong(Server::threadCpuNs).sum();
        }
    }

    private static long threadCpuNs(Path thread) {
        try {
            return Long.parseLong(Files.readString(thread.resolve("schedstat")).split(" ", 2)[0]);
        } catch (IOException e) {
            if (Files.exists(thread)) {
                throw new UncheckedIOException(e);
            }
            return 0; // it has just ended
        }
    }

    /// What the process has used so far, threads that have ended included, in nanoseconds: by the kernel's ticks of
    /// 10 ms.
    long processCpuNs() throws IOException {
        String[] fields = stat();
        long ticks = Long.parseLong(fields[11]) + Long.parseLong(fields[12]); // utime, stime: proc(5), 14 and 15
        return TimeUnit.MILLISECONDS.toNanos(10 * ticks);
    }

    /// What its process has had read from devices so far: proc(5), /proc/PID/io.
    long deviceBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "io"))) {
            if (line.startsWith("read_bytes: ")) {
                return Long.parseLong(line.substring("read_bytes: ".length()));
            }
        }
        throw new IOException("the kernel does not tell what process " + process.pid() + " reads");
    }

    /// Its page faults so far that waited for no disk.
    long minorFaults() throws IOException {
        return Long.parseLong(stat()[7]); // minflt: proc(5), 10
    }

    /// From the third field on, the state.
    private String[] stat() throws IOException {
        String stat = Files.readString(Path.of("/proc", Long.toString(process.pid()), "stat"));
        return stat.substring(stat.lastIndexOf(')') + 2).split(" ");
    }

    /// A field of /proc/PID/status in MiB, such as VmRSS or RssAnon.
    long statusMib(String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            if (line.startsWith(field + ":")) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        throw new IOException("no " + field + " of process " + process.pid());
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        Folders.remove(folder);
    }
}
