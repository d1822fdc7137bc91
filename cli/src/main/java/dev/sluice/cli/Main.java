package dev.sluice.cli;

import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Entry point of the `sluice` command: hands the process's streams to [Sluice] and exits with what it answers.
public final class Main {
    private static final int TEXT_BUFFER_BYTES = 8192;

    private Main() {}

    public static void main(String[] arguments) {
        PrintStream out = text(FileDescriptor.out);
        PrintStream err = text(FileDescriptor.err);
        Surroundings surroundings = new Surroundings(
                new FileInputStream(FileDescriptor.in),
                isTerminal(0),
                out,
                err,
                isTerminal(2),
                kernel -> kernel.adopt(1, "standard output", kernel.account()),
                System.getenv(),
                new ProcessSignals());
        int exitCode = Sluice.run(surroundings, arguments);
        out.flush();
        err.flush();
        // Not only returned from: a client's thread that hangs must not keep a finished command alive.
        System.exit(exitCode);
    }

    /// UTF-8 whatever the locale says (a container has none), and a line at a time.
    private static PrintStream text(FileDescriptor descriptor) {
        return new PrintStream(
                new java.io.BufferedOutputStream(new FileOutputStream(descriptor), TEXT_BUFFER_BYTES),
                true,
                StandardCharsets.UTF_8);
    }

    /// As isatty(3) would say, without a native call: a JVM that only starts a broker has no use for one here.
    private static boolean isTerminal(int descriptor) {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor))
                    .toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException _) {
            // Closed, or no /proc: nobody watches.
            return false;
        }
    }
}
