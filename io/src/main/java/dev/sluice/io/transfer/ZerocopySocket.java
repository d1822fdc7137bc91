package dev.sluice.io.transfer;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrorQueue;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Sockets;
import java.lang.foreign.Arena;
import java.util.Arrays;

/// The MSG_ZEROCOPY sends of one socket: numbers them as the kernel does, and learns from the error queue which are
/// done with.
///
/// The kernel numbers the sends of a socket from 0, whoever makes them, so there is one of these for each socket and
/// nobody else may use MSG_ZEROCOPY on it. Notifications name ranges, may come out of order, and are taken in bulk,
/// when there is a reason to: the kernel merges neighbours that nobody has taken yet. Owned by one thread at a time.
final class ZerocopySocket {
    /// Told of each send that is done with.
    @FunctionalInterface
    interface Completed {
        /// @param tag what was handed to [#sent]
        void completed(long tag, long lengthBytes, boolean copied);
    }

    /// Not the descriptor: this object lives as long as the descriptor is reachable, and must not keep it so.
    private final String name;

    private final ErrorQueue.Notification notification = new ErrorQueue.Notification(Arena.ofAuto());
    private boolean enabled;
    private int senders;

    /// Numbers of the oldest send that is under way and of the next one, modulo 2³² as the kernel counts.
    private int oldest;

    private int next;

    /// Lengths and tags of the sends from oldest to next, at their number modulo the arrays' length; length −1 once
    /// it is done with.
    private long[] lengths = new long[64];

    private long[] tags = new long[64];
    private long bytes;

    ZerocopySocket(Descriptor socket) {
        this.name = socket.name();
    }

    /// Asks for the right to use MSG_ZEROCOPY.
    ///
    /// @return 0 or −errno: −ENOTSUPP or −EOPNOTSUPP for sockets that aren't TCP
    long enable(Kernel kernel, Descriptor socket) {
        if (enabled) {
            return 0;
        }
        long result = kernel.sockets().setOption(socket, Sockets.SOL_SOCKET, Sockets.SO_ZEROCOPY, 1);
        enabled = result >= 0;
        return result;
    }

    /// A number for the tags of one who sends, which nobody had before.
    int newSender() {
        return ++senders;
    }

    /// Notes a send that took bytes.
    void sent(long lengthBytes, long tag) {
        if (next - oldest == lengths.length) {
            grow();
        }
        int at = next & (lengths.length - 1);
        lengths[at] = lengthBytes;
        tags[at] = tag;
        bytes += lengthBytes;
        next++;
    }

    private void grow() {
        long[] moreLengths = new long[lengths.length * 2];
        long[] moreTags = new long[lengths.length * 2];
        for (int id = oldest; id != next; id++) {
            moreLengths[id & (moreLengths.length - 1)] = lengths[id & (lengths.length - 1)];
            moreTags[id & (moreTags.length - 1)] = tags[id & (tags.length - 1)];
        }
        lengths = moreLengths;
        tags = moreTags;
    }

    /// Sends that are under way, or were done with out of order.
    int underWay() {
        return next - oldest;
    }

    /// Bytes of memory that the kernel may still read.
    long bytes() {
        return bytes;
    }

    /// Takes all notifications that are there.
    ///
    /// @return how many sends they spoke of, or −errno when the queue can't be read
    long reap(Kernel kernel, Descriptor socket, Completed listener) {
        long sends = 0;
        while (true) {
            long result = kernel.errorQueue().take(socket, notification);
            if (result == -Errno.EAGAIN) {
                return sends;
            }
            if (result < 0 && result != -Errno.EINTR) {
                return result;
            }
            if (result > 0 && notification.isZerocopy()) {
                sends += complete(notification.first(), notification.last(), notification.copied(), listener);
            }
        }
    }

    /// Package-private for its test, which needs ranges that no network gives it at will.
    long complete(int first, int last, boolean copied, Completed listener) {
        long sends = 0;
        for (int id = first; id != last + 1; id++) {
            if (id - oldest < 0 || id - next >= 0) {
                throw new IllegalStateException("The kernel is done with zero-copy send " + Integer.toUnsignedString(id)
                        + " of " + name
                        + ", which isn't ours; somebody else sends with MSG_ZEROCOPY on this socket");
            }
            int at = id & (lengths.length - 1);
            long length = lengths[at];
            if (length >= 0) {
                lengths[at] = -1;
                bytes -= length;
                sends++;
                listener.completed(tags[at], length, copied);
            }
        }
        while (oldest != next && lengths[oldest & (lengths.length - 1)] < 0) {
            oldest++;
        }
        return sends;
    }

    /// For tests: numbers as they are after 2³² sends.
    void startAt(int id) {
        oldest = id;
        next = id;
        Arrays.fill(lengths, 0);
    }
}
