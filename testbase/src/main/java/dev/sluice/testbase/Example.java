package dev.sluice.testbase;

import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/// A program of docs/EXAMPLES.md.
///
/// @param name   of the class with its main method
/// @param prints what the page says
public record Example(String name, String source, String prints) {
    private static final Pattern EXAMPLE =
            Pattern.compile("```java\\n(.*?)```\\n\\n```text\\n(.*?)```", Pattern.DOTALL);
    private static final Pattern CLASS = Pattern.compile("^class (\\w+)", Pattern.MULTILINE);

    /// @param root of the tree
    public static List<Example> all(Path root) throws IOException {
        Matcher matcher = EXAMPLE.matcher(Files.readString(root.resolve("docs/EXAMPLES.md")));
        List<Example> examples = new ArrayList<>();
        while (matcher.find()) {
            Matcher name = CLASS.matcher(matcher.group(1));
            if (!name.find()) {
                throw new IllegalStateException("an example has no class: " + matcher.group(1));
            }
            examples.add(new Example(name.group(1), matcher.group(1), matcher.group(2)));
        }
        return examples;
    }

    /// Whether it is for users of Netty, and needs more than the library.
    public boolean needsNetty() {
        return source.contains("import io.netty.");
    }

    /// Compiles the program and runs it in a JVM of its own, whose argument is an empty folder.
    ///
    /// @param classPath what it may use
    /// @param folder    for what it makes
    /// @return what it printed
    public String run(List<Path> classPath, Path folder) throws IOException, InterruptedException {
        Path file = Files.writeString(folder.resolve(name + ".java"), source);
        Path classes = Files.createDirectory(folder.resolve("classes"));
        String path = classPath.stream().map(Path::toString).collect(Collectors.joining(":"));
        compile(file, classes, path);
        // Redirected to a file, so that nothing is left open in this process, whose descriptors others count.
        Path output = folder.resolve("output");
        new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        path + ":" + classes,
                        name,
                        Files.createDirectory(folder.resolve("scratch")).toString())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start()
                .waitFor();
        return Files.readString(output);
    }

    private static void compile(Path file, Path classes, String classPath) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter messages = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            boolean ok = compiler.getTask(
                            messages,
                            files,
                            null,
                            List.of("-d", classes.toString(), "-cp", classPath),
                            null,
                            files.getJavaFileObjects(file))
                    .call();
            if (!ok) {
                throw new AssertionError(messages.toString());
            }
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
