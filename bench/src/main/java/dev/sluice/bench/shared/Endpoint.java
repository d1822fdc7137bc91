package dev.sluice.bench.shared;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Resources.Totals;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.shared.PeerSockets;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Map;

/// What one process has of a measurement: its kernel object, whose account counts all calls, and its end of a link.
final class Endpoint {
    private static final long SPIN_NS = 50_000;

    private final Kernel kernel = new Kernel();

    /// What this process has used so far.
    ///
    /// @param cpuNs        processor time, user and system, of all its threads
    /// @param calls        system calls through the library
    /// @param carriedBytes bytes that calls have carried between its memory and the kernel's: each a copy by the
    ///                     CPU
    record Used(long cpuNs, long calls, long carriedBytes) {
        Used minus(Used before) {
            return new Used(cpuNs - before.cpuNs, calls - before.calls, carriedBytes - before.carriedBytes);
        }

        static Used parse(String line) {
            String[] words = line.split(" ");
            return new Used(Long.parseLong(words[0]), Long.parseLong(words[1]), Long.parseLong(words[2]));
        }

        @Override
        public String toString() {
            return cpuNs + " " + calls + " " + carriedBytes;
        }
    }

    Used used() throws ErrnoException {
        Totals totals = kernel.resources().ofProcess();
        long calls = 0;
        long bytes = 0;
        for (Map.Entry<Call, Account.Count> count : kernel.account().snapshot().entrySet()) {
            calls += count.getKey() == Call.GETRUSAGE ? 0 : count.getValue().calls();
            bytes += count.getValue().bytes();
        }
        return new Used(totals.userNs() + totals.systemNs(), calls, bytes);
    }

    /// Listens for a way.
    ///
    /// @param path for UNIX sockets, which must not exist
    Descriptor listen(Way way, Path path) throws IOException {
        if (way.isPool) {
            return PeerSockets.listen(kernel, path, 0600, kernel.account());
        }
        SocketAddress address = way == Way.UNIX
                ? UnixDomainSocketAddress.of(path)
                : new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        Descriptor listener =
                kernel.sockets().stream(address, true, kernel.account()).orThrow();
        ErrnoException.check(kernel.sockets().bind(listener, address), Call.BIND, address.toString());
        ErrnoException.check(kernel.sockets().listen(listener, 1), Call.LISTEN, address.toString());
        return listener;
    }

    int port(Way way, Descriptor listener) throws IOException {
        return way == Way.TCP ? ((InetSocketAddress) kernel.sockets().localAddress(listener)).getPort() : 0;
    }

    Link accept(Way way, Descriptor listener, int messageBytes) throws IOException {
        if (way.isPool) {
            return PoolLink.accept(kernel, listener, messageBytes, spinNs(way));
        }
        Descriptor socket =
                kernel.sockets().accept(listener, true, kernel.account()).orThrow();
        return socketLink(way, socket, messageBytes);
    }

    Link connect(Way way, Path path, int port, int messageBytes) throws IOException {
        if (way.isPool) {
            return PoolLink.connect(kernel, path, messageBytes, spinNs(way));
        }
        SocketAddress address = way == Way.UNIX
                ? UnixDomainSocketAddress.of(path)
                : new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        Descriptor socket =
                kernel.sockets().stream(address, true, kernel.account()).orThrow();
        ErrnoException.check(kernel.sockets().connect(socket, address), Call.CONNECT, address.toString());
        return socketLink(way, socket, messageBytes);
    }

    private Link socketLink(Way way, Descriptor socket, int messageBytes) {
        if (way == Way.TCP) {
            kernel.sockets().setOption(socket, Sockets.IPPROTO_TCP, Sockets.TCP_NODELAY, 1);
        }
        return new SocketLink(kernel, socket, messageBytes);
    }

    private static long spinNs(Way way) {
        return way == Way.SPINNING_POOL ? SPIN_NS : 0;
    }
}
