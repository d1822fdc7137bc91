package dev.sluice.io.support;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// A JVM of its own, for what can be tried on a whole process alone: a user's limits, death.
public final class ChildJvm implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;

    private ChildJvm(Process process) {
        this.process = process;
        this.output = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /// Starts a main class of the tests.
    ///
    /// @param prefix  a command that runs it in another way (setpriv, prlimit), or nothing
    /// @param classes where its classes are: [#ownClasses] or a copy
    public static ChildJvm start(List<String> prefix, List<Path> classes, Class<?> main, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx64m", "-XX:+UseSerialGC", "-ea", "--enable-native-access=ALL-UNNAMED", "-cp"));
        command.add(String.join(":", classes.stream().map(Path::toString).toList()));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return new ChildJvm(
                new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    /// The folders that this JVM has our own classes from.
    public static List<Path> ownClasses() {
        return Stream.of(System.getProperty("java.class.path").split(":"))
                .map(Path::of)
                .filter(path -> path.endsWith("classes") || path.endsWith("test-classes"))
                .toList();
    }

    /// A copy of them that any user can read.
    public static List<Path> classesForEverybody(Path parent) throws IOException {
        List<Path> copies = new ArrayList<>();
        for (Path classes : ownClasses()) {
            Path copy = parent.resolve("classes-" + copies.size());
            try (Stream<Path> tree = Files.walk(classes)) {
                for (Path from : tree.toList()) {
                    Path to = copy.resolve(classes.relativize(from).toString());
                    if (Files.isDirectory(from)) {
                        Files.createDirectories(to);
                        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwxr-xr-x"));
                    } else {
                        Files.copy(from, to);
                        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rw-r--r--"));
                    }
                }
            }
            copies.add(copy);
        }
        return copies;
    }

    /// The next line that it prints, or null when it has ended.
    public String line() throws IOException {
        return output.readLine();
    }

    /// All that it still prints, and the end of it.
    public String rest() throws IOException, InterruptedException {
        StringBuilder rest = new StringBuilder();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            rest.append(line).append('\n');
        }
        process.waitFor();
        return rest.toString();
    }

    /// Ends its standard input.
    public void endInput() throws IOException {
        process.getOutputStream().close();
    }

    /// Its exit status, once it has ended: 128 + the signal's number where a signal ended it.
    public int status() throws InterruptedException {
        return process.waitFor();
    }

    /// SIGKILL, and its end.
    public void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
    }

    /// SIGKILL, without waiting for what comes of it.
    public void signalKill() {
        process.destroyForcibly();
    }

    public long pid() {
        return process.pid();
    }

    @Override
    public void close() throws IOException, InterruptedException {
        kill();
        output.close();
        process.getErrorStream().close();
        process.getOutputStream().close();
    }
}
