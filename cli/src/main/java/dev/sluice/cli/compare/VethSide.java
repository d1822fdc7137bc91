package dev.sluice.cli.compare;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A child process in a network of its own, at the other end of a pair of virtual interfaces (veth(4)).
///
/// The calling thread gets a network of its own too, for good: nothing of the machine's network is touched, and all of
/// it is gone with the thread and the child.
///
/// ```
///   this thread's network                    the child's network
///   sluice0  198.18.0.1/30  ═══════════════  sluice1  198.18.0.2/30
/// ```
///
/// Scatter-gather is switched at our end: what is received there comes as the other end sent it.
final class VethSide extends OtherSide {
    static final String ALL = "SG, GSO";
    static final String GATHER = "SG";
    static final String NONE = "no SG";

    static final List<String> STATES = List.of(ALL, GATHER, NONE);

    private static final String HERE = "sluice0";
    private static final String THERE = "sluice1";
    private static final long PATIENCE_S = 20;

    /// For readers of the short names.
    static final String LEGEND =
            "SG, GSO: the interface takes packets in pieces and of up to 64 KiB. SG: in pieces, each of an MTU. no SG: each of an MTU, put together"
                    + " by the processor. The last two differ by that copy alone: sendfile in them is the literature's sendfile with and without"
                    + " scatter-gather";

    private final Kernel kernel;
    private final Path file;
    private boolean alone;
    private @Nullable PeerProcess process;

    VethSide(Kernel kernel, Path file) {
        this.kernel = kernel;
        this.file = file;
    }

    @Override
    Peer open() throws IOException {
        if (!alone) {
            unshare();
            alone = true;
        }
        PeerProcess started = startElsewhere();
        process = started;
        String pid = Long.toString(started.pid());
        run("ip", "link", "add", HERE, "type", "veth", "peer", "name", THERE, "netns", pid);
        run("ip", "addr", "add", "198.18.0.1/30", "dev", HERE);
        run("ip", "link", "set", HERE, "up");
        run("nsenter", "--net=/proc/" + pid + "/ns/net", "ip", "addr", "add", "198.18.0.2/30", "dev", THERE);
        run("nsenter", "--net=/proc/" + pid + "/ns/net", "ip", "link", "set", THERE, "up");
        return Peer.connect(kernel, new InetSocketAddress(InetAddress.ofLiteral("198.18.0.2"), started.listen()));
    }

    private void unshare() throws IOException {
        long result = kernel.namespaces().unshareNetwork();
        if (result < 0) {
            throw new IOException("--over veth needs root: " + Call.UNSHARE.kernelName() + " of a network said "
                    + Errno.describe((int) -result));
        }
    }

    /// A process inherits the network of the thread that starts it, so a thread of its own does.
    private PeerProcess startElsewhere() throws IOException {
        CompletableFuture<PeerProcess> started = new CompletableFuture<>();
        Thread.ofPlatform().name("sluice-compare-veth").start(() -> {
            try {
                unshare();
                started.complete(PeerProcess.start(file, "198.18.0.2"));
            } catch (IOException | RuntimeException e) {
                started.completeExceptionally(e);
            }
        });
        try {
            return started.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof IOException failed ? failed : new IOException(e);
        }
    }

    private static void run(String... command) throws IOException {
        Process process;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new IOException(
                    "--over veth needs the program " + command[0] + "; install iproute2 and util-linux", e);
        }
        CompletableFuture<Void> impatience = CompletableFuture.runAsync(
                process::destroyForcibly, CompletableFuture.delayedExecutor(PATIENCE_S, TimeUnit.SECONDS));
        try {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            int code = process.waitFor();
            if (code != 0) {
                throw new IOException(String.join(" ", command) + " failed: " + said);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            impatience.cancel(false);
            process.destroyForcibly();
        }
    }

    @Override
    List<String> states() {
        return STATES;
    }

    @Override
    String legend() {
        return LEGEND;
    }

    @Override
    void choose(String state) throws IOException {
        InetSocketAddress any = new InetSocketAddress(InetAddress.ofLiteral("198.18.0.1"), 0);
        try (Descriptor socket =
                kernel.sockets().stream(any, true, kernel.account()).orThrow()) {
            check(kernel.interfaces().setScatterGather(socket, HERE, !state.equals(NONE)));
            if (!state.equals(NONE)) {
                check(kernel.interfaces().setSegmentationOffload(socket, HERE, state.equals(ALL)));
            }
        }
    }

    private static void check(long result) throws ErrnoException {
        ErrnoException.check(result, Call.IOCTL, HERE);
    }

    @Override
    void dropped() {
        if (process != null) {
            process.close();
            process = null;
            try {
                // It would go with the other network, but later: the kernel takes networks down in the background.
                run("ip", "link", "del", HERE);
            } catch (IOException _) {
                // It was gone already.
            }
        }
    }

    @Override
    String description() {
        return "a child process in a network of its own";
    }
}
