package dev.sluice.cli.compare;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/// A session with the other side, as [PeerServer] describes it. Used by one thread.
final class Peer implements AutoCloseable {
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long CONNECT_NS = TimeUnit.SECONDS.toNanos(10);

    /// What it said of bytes that it received or sent.
    ///
    /// @param sums  of what it received; none for what it sent
    /// @param cpuNs its process's processor time meanwhile, taking the sums included
    record Result(Checksums sums, long cpuNs) {}

    private final InetSocketAddress address;
    private final ControlLine line;
    private long heldBytes;

    private Peer(InetSocketAddress address, ControlLine line) {
        this.address = address;
        this.line = line;
    }

    /// Begins a session.
    ///
    /// @throws IOException when nobody listens there, or somebody who speaks otherwise
    static Peer connect(Kernel kernel, InetSocketAddress address) throws IOException {
        ControlLine line = new ControlLine(
                kernel,
                Endpoint.connect(kernel, address, true, CONNECT_NS, kernel.account())
                        .descriptor(),
                PATIENCE_NS);
        Peer peer = new Peer(address, line);
        try {
            line.send(PeerServer.HELLO);
            peer.heldBytes = Long.parseLong(peer.answered(PeerServer.HELLO)
                    .substring(PeerServer.HELLO.length())
                    .strip());
            return peer;
        } catch (IOException e) {
            peer.close();
            throw e;
        }
    }

    /// Where to connect to with bytes.
    InetSocketAddress address() {
        return address;
    }

    /// How much of the source it can send, from the first byte on.
    long heldBytes() {
        return heldBytes;
    }

    /// Gives it as much of the source as it keeps.
    void store(Kernel kernel, Transfers transfers, Path file, long fileBytes) throws IOException {
        long length = Math.min(fileBytes, PeerServer.MOST_STORED_BYTES);
        ask("store " + length);
        try (Endpoint.File source = Endpoint.openSource(kernel, file, kernel.account());
                Endpoint.Socket socket = Endpoint.connect(kernel, address, true, CONNECT_NS, kernel.account());
                Transfer transfer = transfers.begin(
                        source, socket, length, TransferOptions.DEFAULT.withIdleTimeoutNs(PATIENCE_NS))) {
            transfer.run();
        }
        answered("stored");
        heldBytes = length;
    }

    /// Has it receive from the next connection. Ask for [#drained] afterwards, in any case.
    void drain(long lengthBytes) throws IOException {
        ask("drain " + lengthBytes);
    }

    /// Waits until it has everything.
    Result drained() throws IOException {
        String[] words = answered("drained").split(" ");
        int[] sums = new int[words.length - 3];
        for (int i = 0; i < sums.length; i++) {
            sums[i] = Integer.parseUnsignedInt(words[i + 3], 16);
        }
        return new Result(new Checksums(sums), Long.parseLong(words[1]) + Long.parseLong(words[2]));
    }

    /// Has it send a range of the file to the next connection. Ask for [#fed] afterwards, in any case.
    ///
    /// @param wholePages so that its pages can be mapped
    void feed(long position, long lengthBytes, boolean wholePages) throws IOException {
        ask("feed " + position + " " + lengthBytes + (wholePages ? " whole" : " any"));
    }

    Result fed() throws IOException {
        String[] words = answered("fed").split(" ");
        return new Result(new Checksums(new int[0]), Long.parseLong(words[1]) + Long.parseLong(words[2]));
    }

    private void ask(String request) throws IOException {
        line.send(request);
        answered("ready");
    }

    private String answered(String wanted) throws IOException {
        String answer = line.receive();
        if (answer == null) {
            throw new IOException("the other side, " + line.socket().name() + ", ended the session");
        }
        if (!answer.startsWith(wanted)) {
            throw new IOException("the other side, " + line.socket().name() + ", "
                    + (answer.startsWith("failed ") ? answer : "doesn't speak as sluice compare --receive does"));
        }
        return answer;
    }

    @Override
    public void close() {
        line.close();
    }
}
