package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A child process at 127.0.0.1.
final class LoopbackSide extends OtherSide {
    private final Kernel kernel;
    private final Path file;
    private @Nullable PeerProcess process;

    LoopbackSide(Kernel kernel, Path file) {
        this.kernel = kernel;
        this.file = file;
    }

    @Override
    Peer open() throws IOException {
        PeerProcess started = PeerProcess.start(file, "127.0.0.1");
        process = started;
        return Peer.connect(kernel, new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), started.listen()));
    }

    @Override
    void dropped() {
        if (process != null) {
            process.close();
            process = null;
        }
    }

    @Override
    String description() {
        return "a child process";
    }
}
