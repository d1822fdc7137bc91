package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/// `struct sockaddr_in`, `sockaddr_in6` and `sockaddr_un`, to and from the JDK's address types.
///
/// ```
/// sockaddr_in   0 u16 family  2 be16 port  4 be32 address                                  16 bytes
/// sockaddr_in6  0 u16 family  2 be16 port  4 be32 flow  8 16 bytes address  24 u32 scope    28 bytes
/// sockaddr_un   0 u16 family  2 path, zero-terminated                                  up to 110 bytes
/// ```
final class SocketAddresses {
    static final int AF_UNIX = 1;
    static final int AF_INET = 2;
    static final int AF_INET6 = 10;

    /// sizeof(struct sockaddr_storage)
    static final long STORAGE_BYTES = 128;

    private static final int UNIX_PATH_BYTES = 108;
    private static final ValueLayout.OfShort BE_SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    private SocketAddresses() {}

    static int family(SocketAddress address) {
        return switch (address) {
            case InetSocketAddress inet when inet.getAddress() instanceof Inet4Address -> AF_INET;
            case InetSocketAddress inet when inet.getAddress() instanceof Inet6Address -> AF_INET6;
            case UnixDomainSocketAddress _ -> AF_UNIX;
            default -> throw new IllegalArgumentException("Not a resolved internet or UNIX address: " + address);
        };
    }

    static MemorySegment encode(SocketAddress address, Arena arena) {
        return switch (address) {
            case InetSocketAddress inet
            when inet.getAddress() instanceof Inet4Address v4 -> {
                MemorySegment sockaddr = header(AF_INET, inet.getPort(), 16, arena);
                MemorySegment.copy(v4.getAddress(), 0, sockaddr, ValueLayout.JAVA_BYTE, 4, 4);
                yield sockaddr;
            }
            case InetSocketAddress inet
            when inet.getAddress() instanceof Inet6Address v6 -> {
                MemorySegment sockaddr = header(AF_INET6, inet.getPort(), 28, arena);
                MemorySegment.copy(v6.getAddress(), 0, sockaddr, ValueLayout.JAVA_BYTE, 8, 16);
                sockaddr.set(ValueLayout.JAVA_INT, 24, v6.getScopeId());
                yield sockaddr;
            }
            case UnixDomainSocketAddress unix -> {
                byte[] path = unix.getPath().toString().getBytes(StandardCharsets.UTF_8);
                if (path.length >= UNIX_PATH_BYTES) {
                    throw new IllegalArgumentException(
                            "A UNIX socket's path has at most " + (UNIX_PATH_BYTES - 1) + " bytes: " + unix.getPath());
                }
                MemorySegment sockaddr = arena.allocate(2L + path.length + 1, 8);
                sockaddr.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
                MemorySegment.copy(path, 0, sockaddr, ValueLayout.JAVA_BYTE, 2, path.length);
                yield sockaddr;
            }
            default -> throw new IllegalArgumentException("Not a resolved internet or UNIX address: " + address);
        };
    }

    private static MemorySegment header(int family, int port, long lengthBytes, Arena arena) {
        MemorySegment sockaddr = arena.allocate(lengthBytes, 8);
        sockaddr.set(ValueLayout.JAVA_SHORT, 0, (short) family);
        sockaddr.set(BE_SHORT, 2, (short) port);
        return sockaddr;
    }

    static SocketAddress decode(MemorySegment sockaddr, long lengthBytes) {
        int family = lengthBytes < 2 ? 0 : sockaddr.get(ValueLayout.JAVA_SHORT, 0);
        return switch (family) {
            case AF_INET -> new InetSocketAddress(address(sockaddr, 4, 4), port(sockaddr));
            case AF_INET6 -> new InetSocketAddress(address(sockaddr, 8, 16), port(sockaddr));
            case AF_UNIX -> UnixDomainSocketAddress.of(lengthBytes <= 2 ? "" : sockaddr.getString(2));
            default -> throw new IllegalArgumentException("Unknown address family " + family);
        };
    }

    private static int port(MemorySegment sockaddr) {
        return Short.toUnsignedInt(sockaddr.get(BE_SHORT, 2));
    }

    private static InetAddress address(MemorySegment sockaddr, long position, int lengthBytes) {
        byte[] bytes = sockaddr.asSlice(position, lengthBytes).toArray(ValueLayout.JAVA_BYTE);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new AssertionError("4 and 16 bytes always make an address", e);
        }
    }
}
