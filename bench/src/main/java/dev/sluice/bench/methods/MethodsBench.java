package dev.sluice.bench.methods;

import dev.sluice.bench.tools.Options;
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
final class MethodsBench {
    private static final int FILE_MIB = 512;

    private int seconds = 120;
    private int runs = 5;
    private boolean keep;

    private MethodsBench() {}

    /// @param arguments the folder of the C sources, the folder for what is made, then the user's
    static void main(String[] arguments) {
        MethodsBench bench = new MethodsBench();
        bench.options().run(arguments, (_, work) -> bench.run(work));
    }

    private Options options() {
        return new Options(
                        "methods",
                        "Measures the methods and writes the tables of docs/METHODS.md, docs/METHODS.zh.md and README.md.")
                .number("--seconds", 1, "how long to measure, roughly (120)", value -> seconds = value)
                .number("--runs", 1, "how often each way (5)", value -> runs = value)
                .flag("--keep", "write nothing: only measure", () -> keep = true);
    }

    private void run(Path work) throws IOException, InterruptedException {
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
