package dev.sluice.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Runs a broker and the commands that talk to it once, in one process, so that the JVM can write down what they
/// load and how it behaves (`java -XX:AOTCacheOutput`, JEP 483, 514 and 515). `bin/sluice` runs it after each build;
/// a JVM that starts from what was written needs half the time.
///
/// Exits with 0 when every command has done its work, else with 1 and the reason.
final class TrainingRun {
    private static final Pattern LISTENS = Pattern.compile("listens on +(\\S+)");
    private static final int RECORDS = 5_000;
    private static final long MOST_SECONDS = 60;

    private TrainingRun() {}

    /// @param arguments the folder to work in, which is made and removed
    public static void main(String[] arguments) throws Exception {
        Path folder = Files.createDirectory(Path.of(arguments[0]));
        try {
            train(folder);
        } finally {
            remove(folder);
        }
        System.exit(0);
    }

    private static void train(Path folder) throws Exception {
        ScreenReader screen = new ScreenReader();
        BlockingQueue<Signals.StopRequest> stops = new LinkedBlockingQueue<>();
        Thread broker = Thread.ofPlatform().daemon().start(() -> {
            String data = folder.resolve("data").toString();
            int exitCode = Sluice.run(
                    surroundings(InputStream.nullInputStream(), screen, stops::add),
                    "broker",
                    "--listen",
                    "127.0.0.1:0",
                    "--data",
                    data);
            screen.ended(exitCode);
        });
        String address = screen.address();
        run(address, "", "topic", "create", "training", "--partitions", "2");
        run(address, lines(), "produce", "training");
        run(address, "", "consume", "training", "--to-end");
        run(address, "", "topic", "describe", "training");
        run(address, "", "status", "training");
        stops.take().stop(0);
        broker.join(TimeUnit.SECONDS.toMillis(MOST_SECONDS));
    }

    private static String lines() {
        return "a line of a file\n".repeat(RECORDS);
    }

    private static void run(String address, String input, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        String[] all = Stream.concat(Stream.of(arguments), Stream.of("--bootstrap", address))
                .toArray(String[]::new);
        InputStream in = new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8));
        int exitCode = Sluice.run(surroundings(in, out, _ -> {}), all);
        if (exitCode != 0) {
            throw new IllegalStateException("'" + String.join(" ", all) + "' ended with " + exitCode + ": "
                    + out.toString(StandardCharsets.UTF_8));
        }
    }

    private static Surroundings surroundings(InputStream in, ByteArrayOutputStream out, Signals signals) {
        PrintStream text = new PrintStream(out, true, StandardCharsets.UTF_8);
        return new Surroundings(
                in,
                false,
                text,
                text,
                false,
                kernel -> kernel.adopt(1, "standard output", kernel.account()),
                Map.of(),
                signals);
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            List<Path> deepestFirst = all.sorted(Comparator.reverseOrder()).toList();
            for (Path each : deepestFirst) {
                Files.delete(each);
            }
        }
    }

    /// What the broker prints, until it tells its address.
    private static final class ScreenReader extends ByteArrayOutputStream {
        private @Nullable Integer exitCode;

        @Override
        public synchronized void flush() {
            notifyAll();
        }

        synchronized void ended(int code) {
            exitCode = code;
            notifyAll();
        }

        synchronized String address() throws InterruptedException {
            while (exitCode == null) {
                Matcher matcher = LISTENS.matcher(toString(StandardCharsets.UTF_8));
                if (matcher.find()) {
                    return matcher.group(1);
                }
                wait(TimeUnit.SECONDS.toMillis(1));
            }
            throw new IllegalStateException(
                    "the broker ended with " + exitCode + ": " + toString(StandardCharsets.UTF_8));
        }
    }
}
