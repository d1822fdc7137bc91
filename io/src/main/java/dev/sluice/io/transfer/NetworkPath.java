package dev.sluice.io.transfer;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Which way the bytes of a connected socket go, for what they cost depends on it: every table of figures says it.
///
/// @param kind          what lies between the two ends
/// @param interfaceName `lo`, `eth0`; empty for a UNIX socket
/// @param scatterGather whether the interface takes packets in pieces, see [Support]
/// @param peer          the other end's address, for people
public record NetworkPath(Kind kind, String interfaceName, Support scatterGather, String peer) {
    /// What lies between the two ends.
    public enum Kind {
        /// A UNIX socket: no interface at all.
        UNIX,
        /// The same host: packets are handed over by reference.
        LOOPBACK,
        /// An interface without a device behind it (veth, bridge, tun): no DMA.
        VIRTUAL,
        /// A network device.
        DEVICE,
        /// It couldn't be found out, because the socket was closed already or names no interface of ours.
        UNKNOWN
    }

    /// What is known of a feature.
    public enum Support {
        YES,
        NO,
        UNKNOWN
    }

    /// What is said of a path that could not be looked at.
    public static final NetworkPath UNKNOWN = new NetworkPath(Kind.UNKNOWN, "", Support.UNKNOWN, "unknown");

    /// Asks the system: getsockname, getpeername, the JDK's list of interfaces (slow: some 100 µs), SIOCETHTOOL.
    /// Answers [#UNKNOWN] instead of failing.
    ///
    /// The interface is the one that has the socket's local address. A route that leaves by another interface than
    /// its address says isn't seen.
    public static NetworkPath of(Kernel kernel, Descriptor socket) {
        try {
            SocketAddress peer = kernel.sockets().peerAddress(socket);
            if (!(peer instanceof InetSocketAddress remote)
                    || !(kernel.sockets().localAddress(socket) instanceof InetSocketAddress local)) {
                return new NetworkPath(Kind.UNIX, "", Support.UNKNOWN, peer.toString());
            }
            if (isOurs(remote.getAddress())) {
                // Whatever interface has the address, packets to ourselves go over lo.
                return ofInterface(kernel, socket, Kind.LOOPBACK, "lo", remote);
            }
            NetworkInterface own = NetworkInterface.getByInetAddress(local.getAddress());
            if (own == null) {
                return UNKNOWN;
            }
            boolean hasDevice = Files.exists(Path.of("/sys/class/net", own.getName(), "device"));
            return ofInterface(kernel, socket, hasDevice ? Kind.DEVICE : Kind.VIRTUAL, own.getName(), remote);
        } catch (ErrnoException | SocketException | IllegalArgumentException e) {
            return UNKNOWN; // closed, not connected, or a family without addresses
        }
    }

    private static boolean isOurs(InetAddress address) throws SocketException {
        return address.isLoopbackAddress() || NetworkInterface.getByInetAddress(address) != null;
    }

    private static NetworkPath ofInterface(
            Kernel kernel, Descriptor socket, Kind kind, String name, InetSocketAddress peer) {
        long answer = kernel.interfaces().scatterGather(socket, name);
        Support support = answer < 0 ? Support.UNKNOWN : answer == 1 ? Support.YES : Support.NO;
        return new NetworkPath(kind, name, support, dev.sluice.io.linux.Sockets.show(peer));
    }

    /// `loopback (lo, scatter-gather on)`.
    @Override
    public String toString() {
        String feature = switch (scatterGather) {
            case YES -> ", scatter-gather on";
            case NO -> ", scatter-gather off";
            case UNKNOWN -> "";
        };
        return switch (kind) {
            case UNIX -> "UNIX socket";
            case LOOPBACK -> "loopback (" + interfaceName + feature + ")";
            case VIRTUAL -> "virtual interface " + interfaceName + feature;
            case DEVICE -> "network device " + interfaceName + feature;
            case UNKNOWN -> "unknown path";
        };
    }
}
