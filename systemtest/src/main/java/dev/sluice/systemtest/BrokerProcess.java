package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A broker started by `bin/sluice broker` in a process of its own, on a port that the kernel chose.
final class BrokerProcess implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("127\\.0\\.0\\.1:([1-9][0-9]*)");
    /// The first start builds.
    private static final Duration START_BOUND = Duration.ofMinutes(5);
    private static final Duration STOP_BOUND = Duration.ofMinutes(2);
    private static final long LOOK_MS = 10;

    private final Process process;
    private final Path screen;
    private final int port;

    private BrokerProcess(Process process, Path screen, int port) {
        this.process = process;
        this.screen = screen;
        this.port = port;
    }

    /// Starts a broker and waits until its first screen tells where it listens.
    ///
    /// @param options further options of `sluice broker`
    static BrokerProcess start(Path home, Path dataDir, List<String> options, Map<String, String> environment)
            throws IOException, InterruptedException {
        return start(home, dataDir, 0, options, environment);
    }

    /// @param wantedPort 0 for one that the kernel chooses
    static BrokerProcess start(
            Path home, Path dataDir, int wantedPort, List<String> options, Map<String, String> environment)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                home.resolve("bin/sluice").toString(),
                "broker",
                "--data",
                dataDir.toString(),
                "--listen",
                "127.0.0.1:" + wantedPort));
        command.addAll(options);
        return start(command, environment);
    }

    /// A [LyingBroker], in a JVM with this one's class path.
    static BrokerProcess startLying(Path dataDir, int port, List<String> options)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(dataDir.toString(), Integer.toString(port)));
        arguments.addAll(options);
        return start(Processes.java(LyingBroker.class.getName(), arguments), Map.of());
    }

    private static BrokerProcess start(List<String> command, Map<String, String> environment)
            throws IOException, InterruptedException {
        Path screen = Files.createTempFile("sluice-broker", ".screen");
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        Process process = builder.redirectErrorStream(true)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(screen.toFile())
                .start();
        try {
            return new BrokerProcess(process, screen, awaitPort(process, screen));
        } catch (IOException | InterruptedException | RuntimeException e) {
            process.destroyForcibly();
            throw e;
        }
    }

    private static int awaitPort(Process process, Path screen) throws IOException, InterruptedException {
        long deadlineNs = System.nanoTime() + START_BOUND.toNanos();
        while (true) {
            Matcher matcher = ADDRESS.matcher(Files.readString(screen));
            if (matcher.find()) {
                return Integer.parseInt(matcher.group(1));
            }
            if (!process.isAlive() || System.nanoTime() - deadlineNs > 0) {
                throw new CampaignFailure("The broker did not start:\n" + Files.readString(screen));
            }
            Thread.sleep(LOOK_MS);
        }
    }

    int port() {
        return port;
    }

    String bootstrap() {
        return "127.0.0.1:" + port;
    }

    long pid() {
        return process.pid();
    }

    String screen() throws IOException {
        return Files.readString(screen);
    }

    /// Whether it has shown a text at least so many times.
    boolean hasShown(String text, int times) {
        try {
            return screen().split(Pattern.quote(text), -1).length > times;
        } catch (IOException e) {
            throw new CampaignFailure("the broker's screen can't be read: " + e.getMessage());
        }
    }

    /// A field of /proc/PID/status: in KiB, such as VmRSS or RssAnon, or a number, such as Threads.
    long statusNumber(String field) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(pid()), "status"))) {
            if (line.startsWith(field + ":")) {
                return Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new CampaignFailure("/proc/" + pid() + "/status has no " + field);
    }

    /// User and system CPU seconds of the process so far.
    double cpuSeconds() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos() / 1e9;
    }

    /// Stops every thread where it is, as a power cut stops a processor: what a thread has in the kernel goes on
    /// there, and whatever the answer, nobody gets to hear of it.
    void halt() throws IOException, InterruptedException {
        Processes.run(STOP_BOUND, List.of("kill", "-STOP", Long.toString(pid())))
                .orThrow("kill -STOP");
        while (process.isAlive() && !isHalted()) {
            Thread.sleep(1);
        }
    }

    /// Lets the threads that [#halt] has stopped go on.
    void goOn() {
        Processes.run(STOP_BOUND, List.of("kill", "-CONT", Long.toString(pid())))
                .orThrow("kill -CONT");
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /// Whether no thread is running, or about to: each is stopped, or in a call that can't be interrupted.
    private boolean isHalted() throws IOException {
        try (var tasks = Files.newDirectoryStream(Path.of("/proc", Long.toString(pid()), "task"))) {
            for (Path task : tasks) {
                String stat = Files.readString(task.resolve("stat"));
                char state = stat.charAt(stat.lastIndexOf(')') + 2);
                if (state == 'R' || state == 'S') {
                    return false;
                }
            }
        } catch (DirectoryIteratorException | NoSuchFileException e) {
            return false; // a thread ended meanwhile
        }
        return true;
    }

    /// kill -9, and waits until it is gone.
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    /// SIGTERM, and waits for the clean end.
    ///
    /// @return the exit code
    int stop() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_BOUND.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new CampaignFailure("The broker did not stop within " + STOP_BOUND.toSeconds() + " s of SIGTERM");
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join(); // what it had open is closed
        screen.toFile().delete();
    }
}
