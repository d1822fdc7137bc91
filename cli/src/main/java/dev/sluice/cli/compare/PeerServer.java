package dev.sluice.cli.compare;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.linux.Resources;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The other side of a comparison: a process on this machine, or `sluice compare --receive` on another. Bytes that it
/// receives are summed here, so what is compared is what arrived.
///
/// One control connection at a time, lines of text; bytes move over connections of their own to the same port, which
/// are taken from the same host alone.
///
/// ```
///   →  sluice-compare 1                the version spoken
///   ←  sluice-compare 1 HELD           how many bytes of the source this side has
///   →  store LENGTH                    ← ready, then bytes come over the next connection      ← stored
///   →  drain LENGTH                    ← ready, likewise           ← drained USER_NS SYSTEM_NS SUM…  (hexadecimal)
///   →  feed POSITION LENGTH whole|any  ← ready, bytes go out over the next connection  ← fed USER_NS SYSTEM_NS
///   ←  failed MESSAGE                  instead of any answer; the session goes on
/// ```
///
/// `whole` asks for packets whose pages a receiver can map. Neither encrypted nor authenticated. Owned by one thread.
public final class PeerServer implements AutoCloseable {
    static final String HELLO = "sluice-compare 1";

    /// What a side without the file keeps of it, in a file without a name.
    static final long MOST_STORED_BYTES = 256L << 20;

    /// Bounds the memory for sums.
    private static final long MOST_BYTES = 64L << 30;

    private static final long SILENCE_NS = TimeUnit.MINUTES.toNanos(10);
    private static final long IDLE_NS = TimeUnit.SECONDS.toNanos(30);
    private static final int BUFFER_BYTES = 256 << 10;

    private final Kernel kernel;
    private final Descriptor listener;
    private final SocketAddress address;
    private final Transfers transfers;
    private final MemorySegment buffer = Arena.ofAuto().allocate(BUFFER_BYTES, 4096);
    private final MemorySegment scratch = Arena.ofAuto().allocate(Polls.SCRATCH_BYTES, 8);
    private Endpoint.@Nullable File source;
    private long heldBytes;

    private PeerServer(Kernel kernel, Descriptor listener) throws ErrnoException {
        this.kernel = kernel;
        this.listener = listener;
        this.address = kernel.sockets().localAddress(listener);
        this.transfers = new Transfers(kernel);
    }

    /// Listens.
    ///
    /// @throws ErrnoException when the address can't be had
    public static PeerServer open(Kernel kernel, InetSocketAddress address) throws ErrnoException {
        Sockets sockets = kernel.sockets();
        Descriptor listener = sockets.stream(address, true, kernel.account()).orThrow();
        try {
            sockets.setOption(listener, Sockets.SOL_SOCKET, Sockets.SO_REUSEADDR, 1);
            ErrnoException.check(sockets.bind(listener, address), Call.BIND, Sockets.show(address));
            ErrnoException.check(sockets.listen(listener, 4), Call.LISTEN, Sockets.show(address));
            return new PeerServer(kernel, listener);
        } catch (ErrnoException e) {
            listener.close();
            throw e;
        }
    }

    /// Where it listens.
    public String address() {
        return Sockets.show(address);
    }

    /// Has the source at hand, so that nobody need send it.
    void hold(Path file) throws IOException {
        source = Endpoint.openSource(kernel, file, kernel.account());
        heldBytes = Files.size(file);
    }

    /// Serves one control connection to its end.
    ///
    /// @return in one line, who came and why the session ended
    public String serveOne() throws ErrnoException {
        String who = "somebody";
        try (Descriptor socket =
                kernel.sockets().accept(listener, true, kernel.account()).orThrow()) {
            SocketAddress from = kernel.sockets().peerAddress(socket);
            who = Sockets.show(from);
            try (ControlLine line = new ControlLine(kernel, socket, SILENCE_NS)) {
                session(line, ((InetSocketAddress) from));
            }
            return who + " has ended its comparison";
        } catch (IOException e) {
            return who + ": " + e.getMessage();
        }
    }

    private void session(ControlLine line, InetSocketAddress from) throws IOException {
        if (!HELLO.equals(line.receive())) {
            line.send("failed this side speaks " + HELLO + "; use the same version of sluice on both");
            return;
        }
        line.send(HELLO + " " + heldBytes);
        for (String request = line.receive(); request != null; request = line.receive()) {
            try {
                line.send(answer(request.split(" "), line, from));
            } catch (IOException e) {
                line.send("failed " + e.getMessage());
            } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
                line.send("failed no such request: " + request);
            }
        }
    }

    private String answer(String[] words, ControlLine line, InetSocketAddress from) throws IOException {
        return switch (words[0]) {
            case "store" -> store(bounded(words[1], MOST_STORED_BYTES), line, from);
            case "drain" -> drain(bounded(words[1], MOST_BYTES), line, from);
            case "feed" ->
                feed(
                        bounded(words[1], heldBytes),
                        bounded(words[2], heldBytes - Long.parseLong(words[1])),
                        words[3].equals("whole"),
                        line,
                        from);
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private static long bounded(String number, long most) {
        long value = Long.parseLong(number);
        if (value < 0 || value > most) {
            throw new IllegalArgumentException(number);
        }
        return value;
    }

    /// The next connection from the host that asked; others are turned away.
    private Endpoint.Socket connection(ControlLine line, InetSocketAddress from) throws IOException {
        line.send("ready");
        while (true) {
            long ready =
                    kernel.polls().await(listener, Polls.POLLIN, (int) TimeUnit.NANOSECONDS.toMillis(IDLE_NS), scratch);
            if (ready == 0) {
                throw new IOException("no connection came for the bytes");
            }
            if (ready < 0 && ready != -Errno.EINTR) {
                throw new ErrnoException(Call.POLL, (int) -ready, address());
            }
            if (kernel.polls().await(line.socket(), Polls.POLLIN, 0, scratch) > 0) {
                // It has nothing to say now, so this is its end: who comes is the next one who wants a session.
                throw new IOException("the session was given up");
            }
            Descriptor socket =
                    kernel.sockets().accept(listener, true, kernel.account()).orThrow();
            if (kernel.sockets().peerAddress(socket) instanceof InetSocketAddress peer
                    && peer.getAddress().equals(from.getAddress())) {
                kernel.sockets().setTimeout(socket, false, IDLE_NS);
                return new Endpoint.Socket(socket);
            }
            socket.close();
        }
    }

    private String store(long lengthBytes, ControlLine line, InetSocketAddress from) throws IOException {
        Path file = Files.createTempFile("sluice-compare-", ".tmp");
        Endpoint.File target;
        try {
            target = Endpoint.openSink(kernel, file, false, kernel.account());
        } finally {
            Files.delete(file); // it lives as long as the descriptor
        }
        forget();
        source = target;
        try (Endpoint.Socket socket = connection(line, from);
                Transfer transfer = transfers.begin(
                        socket, target, lengthBytes, TransferOptions.DEFAULT.withIdleTimeoutNs(IDLE_NS))) {
            transfer.run();
        }
        heldBytes = lengthBytes;
        return "stored";
    }

    private String drain(long lengthBytes, ControlLine line, InetSocketAddress from) throws IOException {
        Resources.Totals before;
        Checksums sums;
        try (Endpoint.Socket socket = connection(line, from)) {
            before = kernel.resources().ofProcess();
            sums = Checksums.of(
                    target -> {
                        long n;
                        do {
                            n = kernel.sockets().recv(socket.descriptor(), buffer.asSlice(0, target), 0);
                        } while (n == -Errno.EINTR);
                        if (n == -Errno.EAGAIN) {
                            throw new IOException("no bytes came for 30 s");
                        }
                        return buffer.asSlice(0, ErrnoException.check(n, Call.RECV, socket.name()))
                                .asByteBuffer();
                    },
                    lengthBytes,
                    BUFFER_BYTES);
        }
        StringBuilder answer = new StringBuilder("drained ").append(used(before));
        for (int sum : sums.sums()) {
            answer.append(' ').append(Integer.toHexString(sum));
        }
        return answer.toString();
    }

    private String feed(long position, long lengthBytes, boolean whole, ControlLine line, InetSocketAddress from)
            throws IOException {
        Endpoint.File held = source;
        if (held == null) {
            throw new IOException("nothing was stored here");
        }
        if (whole) {
            WholePages.announce(kernel, listener, true);
        }
        Resources.Totals before;
        try (Endpoint.Socket socket = connection(line, from)) {
            before = kernel.resources().ofProcess();
            if (whole) {
                WholePages.send(kernel, held.descriptor(), position, lengthBytes, socket.descriptor());
            } else {
                Endpoint.File range = new Endpoint.File(held.descriptor(), position);
                try (Transfer transfer = transfers.begin(
                        range, socket, lengthBytes, TransferOptions.DEFAULT.withIdleTimeoutNs(IDLE_NS))) {
                    transfer.run();
                }
            }
        } finally {
            if (whole) {
                WholePages.announce(kernel, listener, false);
            }
        }
        return "fed " + used(before);
    }

    private String used(Resources.Totals before) throws ErrnoException {
        Resources.Totals now = kernel.resources().ofProcess();
        return (now.userNs() - before.userNs()) + " " + (now.systemNs() - before.systemNs());
    }

    private void forget() {
        if (source != null) {
            source.close();
            source = null;
            heldBytes = 0;
        }
    }

    @Override
    public void close() {
        forget();
        transfers.close();
        listener.close();
    }
}
