package dev.sluice.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.channels.Selector;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Fails a test class that leaves a descriptor open or a file mapped. The kernel counts: `/proc/self/fd` and
/// `/proc/self/maps`.
///
/// `@ExtendWith(LeakCounter.class)` on the class. It compares what is there after the class, its `@AfterAll` methods
/// included, with what was there before it. What the virtual machine opens for itself and keeps (jars, libraries) does
/// not count. Something that is closed by another thread may take its time, so it looks again for a minute.
public final class LeakCounter implements BeforeAllCallback, AfterAllCallback {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final long LOOK_MS = 20;

    /// Jars, modules, libraries, devices, and what /proc itself shows of the looking.
    private static final Pattern OF_THE_VM = Pattern.compile(
            ".*\\.(jar|so|jsa)( \\(deleted\\))?|.*\\.so\\.[0-9.]+|.*/lib/modules|/dev/.*|/proc/.*|/memfd:.*"
                    + "|.*hsperfdata.*|.*/target/surefire.*|.*libnet.*");

    private static final ExtensionContext.Namespace NAMESPACE = ExtensionContext.Namespace.create(LeakCounter.class);

    @Override
    public void beforeAll(ExtensionContext context) {
        context.getStore(NAMESPACE).put(LeakCounter.class, Handles.now());
    }

    @Override
    public void afterAll(ExtensionContext context) throws InterruptedException {
        Handles before = context.getStore(NAMESPACE).get(LeakCounter.class, Handles.class);
        if (before != null) {
            before.requireNothingNew(PATIENCE);
        }
    }

    /// What this process has open at a moment.
    ///
    /// @param descriptors what each number is open on
    /// @param maps        mapped files, each with the number of its maps
    public record Handles(Map<Integer, String> descriptors, Map<String, Long> maps) {
        static {
            openWhatTheJdkKeeps();
        }

        public static Handles now() {
            return new Handles(openDescriptors(), mappedFiles());
        }

        /// Looks again and again until nothing is open that was not open at that moment.
        ///
        /// @param patience when to give up
        /// @throws AssertionError naming what was opened since, and not closed
        public void requireNothingNew(Duration patience) throws InterruptedException {
            long startedNs = System.nanoTime();
            List<String> left = newOnes();
            while (!left.isEmpty()) {
                if (System.nanoTime() - startedNs > patience.toNanos()) {
                    throw new AssertionError("left open: " + left);
                }
                Thread.sleep(LOOK_MS);
                left = newOnes();
            }
        }

        private List<String> newOnes() {
            Handles after = now();
            List<String> left = new ArrayList<>();
            after.descriptors.forEach((number, target) -> {
                if (!target.equals(descriptors.get(number))) {
                    left.add("descriptor " + number + " on " + target);
                }
            });
            after.maps.forEach((file, count) -> {
                if (count > maps.getOrDefault(file, 0L)) {
                    left.add(count + " maps of " + file);
                }
            });
            return left;
        }
    }

    /// The JDK keeps a pair of sockets from the first close of a socket on, to wake up readers; let it have them
    /// before anybody counts.
    private static void openWhatTheJdkKeeps() {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                Socket client = new Socket(server.getInetAddress(), server.getLocalPort());
                Socket accepted = server.accept();
                Selector selector = Selector.open()) {
            selector.selectNow();
            accepted.shutdownOutput();
            if (client.getInputStream().read() != -1) {
                throw new IllegalStateException("a byte that nobody has sent");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<Integer, String> openDescriptors() {
        Map<Integer, String> found = new TreeMap<>();
        try (DirectoryStream<Path> numbers = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path number : numbers) {
                try {
                    String target = Files.readSymbolicLink(number).toString();
                    if (!OF_THE_VM.matcher(target).matches()) {
                        found.put(Integer.valueOf(String.valueOf(number.getFileName())), target);
                    }
                } catch (IOException e) {
                    // Closed since it was listed.
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }

    private static Map<String, Long> mappedFiles() {
        Map<String, Long> found = new TreeMap<>();
        try {
            for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
                int path = line.indexOf('/');
                if (path >= 0) {
                    String file = line.substring(path);
                    if (!OF_THE_VM.matcher(file).matches()) {
                        found.merge(file, 1L, Long::sum);
                    }
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return found;
    }
}
