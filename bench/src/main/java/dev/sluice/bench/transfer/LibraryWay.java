package dev.sluice.bench.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// The library's own transfers, by one method and no other.
final class LibraryWay implements Way {
    private final Kernel kernel;
    private final Transfers transfers;
    private final Endpoint.File file;
    private final long sizeBytes;
    private final Method method;
    private Endpoint.@Nullable Socket socket;
    private @Nullable TransferAccount account;

    /// Borrows all of it.
    LibraryWay(Kernel kernel, Transfers transfers, Endpoint.File file, long sizeBytes, Method method) {
        this.kernel = kernel;
        this.transfers = transfers;
        this.file = file;
        this.sizeBytes = sizeBytes;
        this.method = method;
    }

    @Override
    public void connect(int port) throws ErrnoException {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        socket = Endpoint.connect(kernel, address, true, 0, kernel.account());
    }

    @Override
    public void send(int chunkBytes) throws IOException, ErrnoException {
        TransferOptions options = TransferOptions.DEFAULT.only(method).withChunkBytes(chunkBytes);
        try (var transfer = transfers.begin(file, connected(), sizeBytes, options)) {
            transfer.run();
            account = transfer.account();
        }
    }

    @Override
    public void disconnect() throws ErrnoException {
        try (Endpoint.Socket ending = connected();
                Arena arena = Arena.ofConfined()) {
            Descriptor descriptor = ending.descriptor();
            ErrnoException.check(kernel.sockets().shutdown(descriptor, Sockets.SHUT_WR), Call.SHUTDOWN, ending.name());
            MemorySegment one = arena.allocate(1);
            ErrnoException.check(kernel.sockets().recv(descriptor, one, 0), Call.RECV, ending.name());
        }
        socket = null;
    }

    @Override
    public String account() {
        TransferAccount last = account;
        if (last == null) {
            return "";
        }
        return String.format(Locale.ROOT, "%.3f ", last.cpuCopies().value())
                + last.calls().entrySet().stream()
                        .filter(entry -> entry.getValue().calls() > 0)
                        .map(entry -> entry.getKey().kernelName() + "="
                                + entry.getValue().calls())
                        .collect(Collectors.joining(","));
    }

    private Endpoint.Socket connected() {
        if (socket == null) {
            throw new IllegalStateException("not connected");
        }
        return socket;
    }
}
