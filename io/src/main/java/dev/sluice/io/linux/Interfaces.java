package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/// What a network interface can do: ioctl(2) with SIOCETHTOOL. Results are values ≥ 0 or −errno.
public final class Interfaces {
    private static final long SIOCETHTOOL = 0x8946; // linux/sockios.h
    private static final int ETHTOOL_GSG = 0x18; // linux/ethtool.h
    private static final int ETHTOOL_SSG = 0x19;
    private static final int ETHTOOL_STSO = 0x1f;
    private static final int ETHTOOL_SGSO = 0x24;

    /// struct ifreq of linux/if.h: 16 bytes name, then a union of 24 whose first member here is a pointer.
    private static final long IFREQ_BYTES = 40;

    private static final int NAME_BYTES = 16;

    private static final MethodHandle IOCTL = Native.variadic(
            "ioctl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_LONG, Native.C_POINTER), 2);

    private final Kernel kernel;

    Interfaces(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Whether an interface takes packets in pieces (scatter-gather), so that the stack need not copy them
    /// together.
    ///
    /// @param anySocket any socket of the network namespace that the interface is in
    /// @param name      `lo`, `eth0`
    /// @return 1 or 0; −ENODEV when there is no such interface; or another −errno
    public long scatterGather(Descriptor anySocket, String name) {
        return feature(anySocket, name, ETHTOOL_GSG, 0);
    }

    /// Turns scatter-gather of an interface on or off; segmentation offload goes off with it. For experiments: it
    /// makes every packet that is sent over the interface dearer, other people's too.
    ///
    /// @return a value ≥ 0; −EPERM without CAP_NET_ADMIN; −EOPNOTSUPP where it is fixed, as on `lo`; or another
    ///         −errno
    public long setScatterGather(Descriptor anySocket, String name, boolean on) {
        return feature(anySocket, name, ETHTOOL_SSG, on ? 1 : 0);
    }

    /// Turns segmentation offload of an interface on or off, the device's (TSO) and the stack's (GSO): without it
    /// every packet of an MTU goes through the stack by itself. Needs scatter-gather; likewise for experiments.
    ///
    /// @return as [#setScatterGather]
    public long setSegmentationOffload(Descriptor anySocket, String name, boolean on) {
        long result = feature(anySocket, name, ETHTOOL_SGSO, on ? 1 : 0);
        return result < 0 ? result : feature(anySocket, name, ETHTOOL_STSO, on ? 1 : 0);
    }

    private long feature(Descriptor anySocket, String name, int command, int argument) {
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length >= NAME_BYTES) {
            return -Errno.ENODEV;
        }
        long result = kernel.admit(Call.IOCTL, anySocket);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment value = arena.allocate(8, 8); // struct ethtool_value { u32 cmd; u32 data; }
                value.set(ValueLayout.JAVA_INT, 0, command);
                value.set(ValueLayout.JAVA_INT, 4, argument);
                MemorySegment request = arena.allocate(IFREQ_BYTES, 8);
                MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, 0, bytes.length);
                request.set(ValueLayout.ADDRESS, NAME_BYTES, value);
                result = Native.orErrno(
                        (int) IOCTL.invokeExact(captured, anySocket.number(), SIOCETHTOOL, request), captured);
                if (result >= 0) {
                    result = value.get(ValueLayout.JAVA_INT, 4);
                }
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(anySocket.account(), Call.IOCTL, result, false);
    }
}
