package dev.sluice.io.proxy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.loop.EventLoop;
import dev.sluice.io.proxy.ConnectionReport.End;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/// One event loop's part of a proxy: its connections and its pipes. Owned by the loop's thread.
final class ProxyLoop {
    private final Proxy proxy;
    private final EventLoop loop;
    private final Kernel kernel;
    private final InetSocketAddress upstream;
    private final ProxyConfig config;
    private final LongSupplier clockNs;
    private final ProxyPipes pipes;
    private final MemorySegment scratch = Arena.ofAuto().allocate(16, 8);
    private final Set<ProxyConnection> connections = new HashSet<>();

    ProxyLoop(
            Proxy proxy,
            EventLoop loop,
            Kernel kernel,
            InetSocketAddress upstream,
            ProxyConfig config,
            LongSupplier clockNs,
            Account account) {
        this.proxy = proxy;
        this.loop = loop;
        this.kernel = kernel;
        this.upstream = upstream;
        this.config = config;
        this.clockNs = clockNs;
        this.pipes = new ProxyPipes(kernel, account.child("pipes"));
    }

    EventLoop loop() {
        return loop;
    }

    Kernel kernel() {
        return kernel;
    }

    ProxyConfig config() {
        return config;
    }

    long nowNs() {
        return clockNs.getAsLong();
    }

    Relay relay(Descriptor source, Descriptor sink) {
        return new Relay(kernel, pipes, source, sink, scratch);
    }

    /// Connects an accepted client to the upstream.
    void begin(Descriptor client) {
        Account account = client.account().child("upstream of " + client.name());
        try {
            Descriptor socket = connect(account);
            ProxyConnection connection = new ProxyConnection(this, client, socket);
            connections.add(connection);
            connection.begin();
        } catch (ErrnoException e) {
            account.close();
            kernel.sockets().resetOnClose(client);
            client.close();
            client.account().close();
            proxy.ended(new ConnectionReport(client.name(), End.UPSTREAM_UNREACHABLE, e.getMessage(), 0, 0, 0, 0, 0));
        }
    }

    private Descriptor connect(Account account) throws ErrnoException {
        Sockets sockets = kernel.sockets();
        Opened opened = sockets.stream(upstream, false, account);
        Descriptor socket = kernel.adopt(opened.orThrow().number(), Sockets.show(upstream), account);
        // What is spliced in pieces should leave in pieces: the sender has decided already what belongs together.
        sockets.setOption(socket, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1);
        long result = sockets.connect(socket, upstream);
        if (result < 0 && result != -Errno.EINPROGRESS) {
            socket.close();
            throw new ErrnoException(Call.CONNECT, (int) -result, Sockets.show(upstream));
        }
        return socket;
    }

    void ended(ProxyConnection connection, ConnectionReport report) {
        connections.remove(connection);
        proxy.ended(report);
    }

    /// Pipes that connections hold now.
    int pipesTaken() {
        return pipes.taken();
    }

    /// Ends all connections.
    void closeAll() {
        List.copyOf(new ArrayList<>(connections)).forEach(connection -> connection.close(End.PROXY_CLOSED, ""));
    }

    /// Frees the pipes, after [#closeAll].
    void close() {
        pipes.close();
    }
}
