package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The other side and the way there. Opens a session when one is needed; one that failed is given up, for nobody knows
/// what it waits for. Owned by one thread.
abstract class OtherSide implements AutoCloseable {
    private @Nullable Peer peer;

    /// @param file what it sends in the direction to us
    static OtherSide of(Over over, Kernel kernel, Transfers transfers, Path file, long fileBytes) {
        return switch (over) {
            case Over.Loopback() -> new LoopbackSide(kernel, file);
            case Over.Veth() -> new VethSide(kernel, file);
            case Over.Remote(var address) ->
                new OtherSide() {
                    @Override
                    Peer open() throws IOException {
                        Peer opened = Peer.connect(kernel, address);
                        try {
                            opened.store(kernel, transfers, file, fileBytes);
                        } catch (IOException e) {
                            opened.close();
                            throw e;
                        }
                        return opened;
                    }

                    @Override
                    String description() {
                        return "another machine, or another process of this one";
                    }
                };
        };
    }

    /// The session.
    final Peer peer() throws IOException {
        Peer open = peer;
        if (open == null) {
            open = open();
            peer = open;
        }
        return open;
    }

    /// Gives the session up; the next one is a new one.
    final void drop() {
        if (peer != null) {
            peer.close();
            peer = null;
        }
        dropped();
    }

    abstract Peer open() throws IOException;

    void dropped() {}

    /// What it is, in a few words.
    abstract String description();

    /// The states that the way there can be put into; one without a name where there is but one.
    List<String> states() {
        return List.of("");
    }

    /// What the states' names mean.
    String legend() {
        return "";
    }

    /// Puts the way there into one of its states.
    void choose(String state) throws IOException {}

    @Override
    public final void close() {
        drop();
    }
}
