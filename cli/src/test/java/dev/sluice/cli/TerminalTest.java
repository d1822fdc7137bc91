package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.testbase.RequiresProgram;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// On a real terminal: a pseudo-terminal by script(1), whose Ctrl-C is the character and goes to whoever is in its
/// foreground.
@Timeout(180)
@RequiresProgram("script")
class TerminalTest {
    private static final char CTRL_C = 3;
    private static final Pattern LISTENS = Pattern.compile("listens on 127\\.0\\.0\\.1:(\\d+)");
    private static final Pattern BAR = Pattern.compile("\\d+%[^\\n]*\\d/\\d+ +MiB");
    private static final Pattern SOME_PERCENT = Pattern.compile("\\b[1-9]\\d?% \\[");
    private static final long LENGTH_BYTES = 64 << 20;

    @TempDir
    private Path folder;

    private final Kernel kernel = new Kernel();

    @Test
    void receivingDrawsABarAndCtrlCEndsItAndSaysHowToGoOn() throws Exception {
        Path target = folder.resolve("target");
        try (Terminal terminal = Terminal.run("receive", "0", target.toString())) {
            Matcher listens =
                    LISTENS.matcher(terminal.await(text -> LISTENS.matcher(text).find()));
            assertThat(listens.find()).isTrue();
            InetSocketAddress address =
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(listens.group(1)));
            try (Descriptor socket = Endpoint.connect(kernel, address, true, 0, kernel.account())
                            .descriptor();
                    Arena arena = Arena.ofConfined()) {
                FileWire.offer(kernel, socket, new FileWire.Offer(LENGTH_BYTES, 1));
                assertThat(FileWire.awaitTold(kernel, socket, LENGTH_BYTES)).isZero();
                MemorySegment some = arena.allocate(1 << 20);
                assertThat(kernel.sockets().send(socket, some, Sockets.MSG_NOSIGNAL))
                        .isEqualTo(1 << 20);
                // The rest never comes.
                terminal.await(text -> BAR.matcher(text).find() && text.contains(" 1% ["));
                terminal.press(CTRL_C);
                assertThat(terminal.awaitExit()).as(terminal.shown()).isEqualTo(130);
            }
            assertThat(terminal.shown()).contains("stopped after 1.00 MiB of 64.0 MiB", "to go on");
            assertThat(target).doesNotExist();
            try (Stream<Path> left = Files.list(folder)) {
                assertThat(left.map(path -> path.getFileName().toString()))
                        .singleElement()
                        .asString()
                        .endsWith(".part");
            }
        }
    }

    @Test
    void sendingDrawsABarAndCtrlCEndsIt() throws Exception {
        Path source = folder.resolve("source");
        try (var file = new java.io.RandomAccessFile(source.toFile(), "rw")) {
            file.setLength(LENGTH_BYTES);
        }
        InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        try (Descriptor listener =
                kernel.sockets().stream(any, true, kernel.account()).orThrow()) {
            assertThat(kernel.sockets().bind(listener, any)).isZero();
            assertThat(kernel.sockets().listen(listener, 1)).isZero();
            String address = Sockets.show(kernel.sockets().localAddress(listener));
            try (Terminal terminal = Terminal.run("send", source.toString(), address);
                    Descriptor socket = kernel.sockets()
                            .accept(listener, true, kernel.account())
                            .orThrow()) {
                assertThat(FileWire.awaitOffer(kernel, socket).lengthBytes()).isEqualTo(LENGTH_BYTES);
                FileWire.tell(kernel, socket, 0);
                // Nothing is read: what fits into the sockets' buffers goes, and then it waits.
                terminal.await(text -> BAR.matcher(text).find());
                terminal.press(CTRL_C);
                assertThat(terminal.awaitExit()).as(terminal.shown()).isEqualTo(130);
                assertThat(terminal.shown()).contains("stopped after ");
            }
        }
    }

    /// Of a file with so many holes that copying it takes seconds; it ends when the bar has begun to move.
    @Test
    void copyingDrawsABarAndCtrlCEndsItAndSaysHowToGoOn() throws Exception {
        Path source = folder.resolve("source");
        try (var file = new java.io.RandomAccessFile(source.toFile(), "rw")) {
            file.setLength(16L << 30);
        }
        Path target = folder.resolve("target");
        try (Terminal terminal = Terminal.run("copy", source.toString(), target.toString())) {
            terminal.await(text -> SOME_PERCENT.matcher(text).find());
            terminal.press(CTRL_C);
            assertThat(terminal.awaitExit()).as(terminal.shown()).isEqualTo(130);
            assertThat(terminal.shown())
                    .contains("stopped after ", " of 16.0 GiB; the same command goes on from there");
            assertThat(target).doesNotExist();
            try (Stream<Path> left = Files.list(folder)) {
                assertThat(left.map(path -> path.getFileName().toString()))
                        .anyMatch(name -> name.startsWith(".target.") && name.endsWith(".part"));
            }
        }
    }

    @Test
    void withoutATerminalNothingIsDrawn() throws IOException {
        Path source = Files.write(folder.resolve("source"), new byte[1000]);
        SluiceRun run =
                SluiceRun.of("copy", source.toString(), folder.resolve("copy").toString());
        assertThat(run.err()).doesNotContain("\r", "%");
    }

    /// A command on a pseudo-terminal of its own.
    private static final class Terminal implements AutoCloseable {
        private final Process process;
        private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
        private final Thread reader;

        private Terminal(Process process) {
            this.process = process;
            this.reader = Thread.ofPlatform().daemon().start(this::read);
        }

        static Terminal run(String... arguments) throws IOException {
            // Whoever runs the tests in the background may have had SIGINT ignored, and children inherit that.
            StringBuilder command = new StringBuilder("exec env --default-signal=INT ")
                    .append(Path.of(System.getProperty("java.home"), "bin", "java"))
                    .append(" -Xmx128m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp '")
                    .append(System.getProperty("java.class.path"))
                    .append("' ")
                    .append(Main.class.getName());
            for (String argument : arguments) {
                command.append(" '").append(argument).append('\'');
            }
            ProcessBuilder builder = new ProcessBuilder(
                            "script", "--quiet", "--return", "--command", command.toString(), "/dev/null")
                    .redirectErrorStream(true);
            builder.environment().put("TERM", "xterm");
            builder.environment().put("COLUMNS", "100");
            return new Terminal(builder.start());
        }

        private void read() {
            try (InputStream out = process.getInputStream()) {
                byte[] piece = new byte[4096];
                for (int n = out.read(piece); n >= 0; n = out.read(piece)) {
                    synchronized (shown) {
                        shown.write(piece, 0, n);
                        shown.notifyAll();
                    }
                }
            } catch (IOException e) {
                // its end
            }
            synchronized (shown) {
                shown.notifyAll();
            }
        }

        String shown() {
            synchronized (shown) {
                return shown.toString(StandardCharsets.UTF_8);
            }
        }

        /// Waits until what is on the screen is as wanted; the test's own bound ends it otherwise.
        String await(Predicate<String> wanted) throws InterruptedException {
            synchronized (shown) {
                while (!wanted.test(shown())) {
                    if (!reader.isAlive()) {
                        throw new AssertionError("it ended, and had shown only:\n" + shown());
                    }
                    shown.wait(100);
                }
                return shown();
            }
        }

        void press(char key) throws IOException {
            process.getOutputStream().write(key);
            process.getOutputStream().flush();
        }

        int awaitExit() throws InterruptedException {
            int code = process.waitFor();
            reader.join();
            return code;
        }

        @Override
        public void close() {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }
}
