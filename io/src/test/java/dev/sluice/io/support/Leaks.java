package dev.sluice.io.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Counts what a test could leave behind: descriptors of this process, maps of rings, maps of its kernel.
public final class Leaks {
    private final Kernel kernel;
    private final List<String> descriptorsBefore = descriptors();
    private final long ringMapsBefore = ringMaps();

    public Leaks(Kernel kernel) {
        this.kernel = kernel;
    }

    public void assertNone() {
        List<String> left = descriptors();
        descriptorsBefore.forEach(left::remove); // one each, where several are open on the same
        assertThat(left).as("descriptors left open").isEmpty();
        assertThat(ringMaps()).as("rings left mapped").isEqualTo(ringMapsBefore);
    }

    /// Every map that the kernel object made is gone. Only for a test that has closed everything.
    public void assertNoMaps(Account... others) {
        long made = of(kernel.account(), Call.MMAP) - errorsOf(kernel.account(), Call.MMAP);
        long gone = of(kernel.account(), Call.MUNMAP);
        for (Account other : others) {
            made += of(other, Call.MMAP) - errorsOf(other, Call.MMAP);
        }
        assertThat(gone).as("maps made and unmapped").isEqualTo(made);
    }

    private static long of(Account account, Call call) {
        return account.count(call).calls();
    }

    private static long errorsOf(Account account, Call call) {
        return account.count(call).errors();
    }

    /// What the descriptors of this process are open on, without what the JVM opens when it first needs it.
    private static List<String> descriptors() {
        List<String> targets = new ArrayList<>();
        try (Stream<Path> numbers = Files.list(Path.of("/proc/self/fd"))) {
            for (Path number : numbers.toList()) {
                try {
                    String target = Files.readSymbolicLink(number).toString();
                    boolean isTheJvms = target.endsWith(".jar")
                            || target.endsWith("/modules")
                            || target.endsWith("random")
                            || target.startsWith("/proc/");
                    if (!isTheJvms) {
                        targets.add(target);
                    }
                } catch (IOException e) {
                    // the descriptor of the listing itself, closed by now
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return targets;
    }

    private static long ringMaps() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("io_uring")).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
