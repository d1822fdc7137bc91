package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Receiving by mapping: getsockopt(2) with TCP_ZEROCOPY_RECEIVE puts the pages that a network card filled into a
/// read-only map of the socket, instead of copying them.
///
/// Only whole, page-aligned pages that belong to the network stack alone can be mapped: a card with header splitting
/// and a payload of a multiple of 4096 bytes a packet (MTU 4096 + 60, or a TCP_MAXSEG of 4108 with timestamps). Pages
/// of the page cache (a sendfile over loopback) and parts of compound pages (any other send over loopback) never can:
/// `can_map_frag` of net/ipv4/tcp.c. What can't be mapped is said in [Window#toRead] and is received as usual. Results
/// are values ≥ 0 or −errno.
public final class TcpReceive {
    private static final int TCP_ZEROCOPY_RECEIVE = 35;

    /// struct tcp_zerocopy_receive of linux/tcp.h:
    ///
    /// ```
    ///  0 u64 address      8 u32 length (in: room, out: mapped)   12 u32 recv_skip_hint   16 u32 inq   20 i32 err
    /// 24 u64 copybuf     32 i32 copybuf_len (in: room, out: used or −errno)   36 u32 flags
    /// 40 u64 msg_control 48 u64 msg_controllen   56 u32 msg_flags   60 u32 reserved
    /// ```
    private static final long BYTES = 64;

    private static final long PAGE_BYTES = 4096;

    private final Kernel kernel;

    TcpReceive(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Room to map into and a buffer for small remainders, and what the last [#receive] did with them. Owned by one
    /// thread.
    public static final class Window {
        private final MemorySegment struct;
        private final MemorySegment length;
        private final MemorySegment room;
        private final MemorySegment remainder;

        /// @param room      a map of the socket: [Mappings#map] with PROT_READ and MAP_SHARED, whole pages;
        ///                  borrowed
        /// @param remainder native memory for bytes that fill no page; borrowed, may be of length 0
        public Window(Arena arena, MemorySegment room, MemorySegment remainder) {
            this.struct = arena.allocate(BYTES, 8);
            this.length = arena.allocate(Native.C_INT);
            this.room = room;
            this.remainder = remainder;
        }

        /// The pages that were mapped. Valid until the next receive into this window.
        public MemorySegment mapped() {
            return room.asSlice(0, Integer.toUnsignedLong(struct.get(ValueLayout.JAVA_INT, 8)));
        }

        /// The bytes that follow those of [#mapped] and were copied to the remainder's memory.
        public MemorySegment copied() {
            return remainder.asSlice(0, Math.max(struct.get(ValueLayout.JAVA_INT, 32), 0));
        }

        /// How many bytes come next that cannot be mapped, to be received by recv(2).
        public long toRead() {
            return Integer.toUnsignedLong(struct.get(ValueLayout.JAVA_INT, 12));
        }

        /// Bytes that wait in the receive queue.
        public long queuedBytes() {
            return Integer.toUnsignedLong(struct.get(ValueLayout.JAVA_INT, 16));
        }

        /// The positive error number that the socket has pending, 0 for none.
        public int errno() {
            return -struct.get(ValueLayout.JAVA_INT, 20);
        }
    }

    /// Maps and copies what has arrived. Never waits.
    ///
    /// @param maxBytes most bytes to take; it bounds what is mapped and what is copied together
    /// @return bytes in [Window#mapped] and [Window#copied] together, perhaps 0; −EIO when the peer has closed its
    ///     side and nothing is left; −EINVAL when the socket can't do it; or another −errno
    public long receive(Descriptor socket, Window window, long maxBytes) {
        long copyRoom = Math.min(maxBytes, window.remainder.byteSize());
        long room = Math.min(maxBytes - copyRoom, window.room.byteSize());
        long result = kernel.admit(Call.GETSOCKOPT, socket, -1, room);
        MemorySegment struct = window.struct;
        struct.fill((byte) 0);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            struct.set(ValueLayout.JAVA_LONG, 0, window.room.address());
            struct.set(ValueLayout.JAVA_INT, 8, (int) (Math.min(result, room) & -PAGE_BYTES));
            struct.set(ValueLayout.JAVA_LONG, 24, window.remainder.address());
            struct.set(ValueLayout.JAVA_INT, 32, (int) copyRoom);
            window.length.set(Native.C_INT, 0, (int) BYTES);
            try {
                result = Native.orErrno(
                        (int) Sockets.GETSOCKOPT.invokeExact(
                                captured,
                                socket.number(),
                                Sockets.IPPROTO_TCP,
                                TCP_ZEROCOPY_RECEIVE,
                                struct,
                                window.length),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
            if (result >= 0) {
                result = window.mapped().byteSize() + window.copied().byteSize();
            } else {
                struct.fill((byte) 0);
            }
        }
        return kernel.record(socket.account(), Call.GETSOCKOPT, result, true);
    }
}
