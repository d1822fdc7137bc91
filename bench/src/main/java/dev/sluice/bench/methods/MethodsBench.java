package dev.sluice.bench.methods;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Measures the methods with `bin/sluice compare` and writes the figures into the tables of docs/METHODS.md, of its
/// Chinese edition and of the README.
public final class MethodsBench {
    private static final int FILE_MIB = 512;
    private static final String HELP = """
            bin/bench methods [OPTIONS]   measures the methods and writes the tables of docs/METHODS.md, METHODS.zh.md and README.md

              --seconds N    how long to measure, roughly; default 120
              --runs N       how often each way; default 5
              --keep         write nothing: only measure
            """;

    private MethodsBench() {}

    /// @param arguments folder of the C programs (not used here), folder for what is made, then the options
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path work = Path.of(arguments[1]);
        int seconds = 120;
        int runs = 5;
        boolean keep = false;
        for (int i = 2; i < arguments.length; i++) {
            switch (arguments[i]) {
                case "--seconds" -> seconds = Integer.parseInt(arguments[++i]);
                case "--runs" -> runs = Integer.parseInt(arguments[++i]);
                case "--keep" -> keep = true;
                default -> {
                    System.err.print(HELP);
                    System.exit(arguments[i].equals("--help") ? 0 : 2);
                }
            }
        }
        Path file = work.resolve("methods.bin");
        if (!Files.exists(file)) {
            fill(file);
        }
        Path root = Path.of("").toAbsolutePath();
        List<Path> results = new ArrayList<>();
        // Four parts of five for what every machine has; a network of its own only root can make.
        results.add(compare(root, work, file, "loopback", seconds * 4 / 5, runs, "--cold"));
        if (isRoot()) {
            results.add(compare(root, work, file, "veth", seconds / 5, runs, "--over", "veth", "--sizes", "64K"));
        } else {
            System.err.println("not root: the table of scatter-gather on and off stays empty");
        }
        if (!keep) {
            Measured measured = Measured.read(results.toArray(Path[]::new));
            String date = LocalDate.now(ZoneOffset.UTC).toString();
            for (String page : List.of("docs/METHODS.md", "docs/METHODS.zh.md", "README.md")) {
                Path path = root.resolve(page);
                String before = Files.readString(path);
                Files.writeString(path, Page.filled(before, page.contains(".zh."), measured, date));
                System.out.println(page + ": written");
            }
        }
    }

    private static Path compare(Path root, Path work, Path file, String name, int seconds, int runs, String... options)
            throws IOException, InterruptedException {
        Path json = work.resolve("methods-" + name + ".json");
        List<String> command = new ArrayList<>(List.of(
                root.resolve("bin/sluice").toString(),
                "compare",
                file.toString(),
                "--seconds",
                Integer.toString(seconds),
                "--runs",
                Integer.toString(runs),
                "--json",
                json.toString()));
        command.addAll(List.of(options));
        System.err.println(String.join(" ", command.subList(1, command.size())));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(work.resolve("methods-" + name + ".txt").toFile());
        builder.environment().put("SLUICE_CLASSPATH", root.resolve("compare-netty/target/quick/lib") + "/*");
        int exitCode = builder.start().waitFor();
        if (exitCode != 0) {
            throw new IOException("sluice compare ended with " + exitCode + "; what it said is above");
        }
        return json;
    }

    private static void fill(Path file) throws IOException {
        byte[] piece = new byte[1 << 20];
        Random random = new Random(1);
        try (OutputStream out = Files.newOutputStream(file)) {
            for (int i = 0; i < FILE_MIB; i++) {
                random.nextBytes(piece);
                out.write(piece);
            }
        }
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }
}
