package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Sockets;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.Pieces;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// send(2) with MSG_ZEROCOPY, from the caller's memory, or from a file through a ring of slots that are read into again
/// only when the kernel is done with them.
///
/// Completions are never waited for one by one: they are taken when a slot is needed, when the kernel says ENOBUFS, and
/// at the end. Where the first completion says that the kernel copied after all (loopback, veth), a transfer that isn't
/// strict goes on with plain sends: zero copy would then only cost its bookkeeping.
final class ZerocopySendMover extends Mover {
    /// A send pins its pages against RLIMIT_MEMLOCK (8 MiB by default), so a call is asked for less than that.
    private static final long MOST_PER_SEND = 1 << 20;

    private static final long SLOT_BYTES = 256 << 10;
    private static final int LEAST_SLOTS = 8;

    /// The slots together hold this much at least. A slot is free when its bytes are acknowledged, and a receiver
    /// acknowledges what is less than a full segment (64 KiB on loopback) only after 40 ms, for whose end Nagle's
    /// algorithm waits with the next such segment: slots that hold less than a few segments move a ring full in
    /// 40 ms. With eight slots of 4 KiB that was 1 MB/s, with this 400 times as much.
    private static final long RING_BYTES = SLOT_BYTES * LEAST_SLOTS;

    /// Sends under way from which on completions are looked for: soon at first, to learn whether the kernel copies;
    /// then in bulk.
    private static final int FIRST_LOOK = 4;

    private static final int BULK = 256;

    private final Descriptor socket;
    private final ZerocopySocket sends;
    private final boolean strict;
    private final @Nullable Pieces memory;
    private final @Nullable Mapping ring;
    private final long slotBytes;
    /// Sends under way by slot.
    private final int[] pending;

    /// Tells our sends from those that an earlier transfer, given up, left under way.
    private final int sender;

    private int slot;
    private long start;
    private long end;
    private boolean learned;
    private boolean plain;

    ZerocopySendMover(Flow flow, ZerocopySocket sends, boolean strict) throws ErrnoException {
        super(flow, Method.ZEROCOPY_SEND);
        this.socket = Flow.descriptor(flow.sink);
        this.sends = sends;
        this.strict = strict;
        this.sender = sends.newSender();
        ErrnoException.check(sends.enable(flow.kernel, socket), Call.SETSOCKOPT, socket.name());
        if (flow.source instanceof Endpoint.Memory source) {
            memory = source.pieces();
            ring = null;
            slotBytes = 0;
            pending = new int[1]; // sends from memory all have tag 0
        } else {
            memory = null;
            slotBytes = flow.chunkBytes > 0 ? (flow.chunkBytes + 4095L) & -4096L : SLOT_BYTES;
            pending = new int[(int) Math.max(LEAST_SLOTS, RING_BYTES / slotBytes)];
            // Not from the buffer pool: what is given back to that may be written to at once.
            ring = Mapping.reserve(flow.kernel, pending.length * slotBytes);
        }
    }

    @Override
    Method method() {
        if (!plain) {
            return Method.ZEROCOPY_SEND;
        }
        return memory != null ? Method.WRITE : Method.READ_WRITE;
    }

    @Override
    Flow.Step step(long wanted) {
        if (memory != null) {
            long length = Math.min(flow.callBytes(wanted), MOST_PER_SEND);
            return send(memory.runAt(flow.taken, length), true); // a call for each piece
        }
        if (start == end) {
            Flow.Step filled = fill(wanted);
            if (filled != Flow.Step.MOVED) {
                return filled;
            }
        }
        if (start == end) {
            return Flow.Step.MOVED; // interrupted
        }
        return send(ring().segment().asSlice(slot * slotBytes + start, end - start), false);
    }

    private Mapping ring() {
        if (ring == null) {
            throw new IllegalStateException("the source is memory");
        }
        return ring;
    }

    private Flow.Step fill(long wanted) {
        int following = (slot + 1) % pending.length;
        if (pending[following] > 0) {
            Flow.Step reaped = reap();
            if (reaped != Flow.Step.MOVED) {
                return reaped;
            }
            if (pending[following] > 0) {
                return Flow.Step.AWAITING_COMPLETIONS;
            }
        }
        long room = Math.min(flow.callBytes(wanted), slotBytes);
        long n = flow.read(ring().segment().asSlice(following * slotBytes, room));
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            return flow.read(n, flow.readCall());
        }
        slot = following;
        start = 0;
        end = n;
        flow.taken += n;
        return Flow.Step.MOVED;
    }

    private Flow.Step send(MemorySegment bytes, boolean takes) {
        int flags = plain ? 0 : Sockets.MSG_ZEROCOPY;
        long n = flow.kernel.sockets().send(socket, bytes, flags);
        if (n == -Errno.ENOBUFS && !plain) {
            // Out of option memory or of locked memory: with the completions that are there it may go.
            Flow.Step reaped = reap();
            if (reaped != Flow.Step.MOVED) {
                return reaped;
            }
            if (sends.underWay() > 0) {
                return Flow.Step.AWAITING_COMPLETIONS;
            }
            n = flow.kernel.sockets().send(socket, bytes, 0);
            flags = 0;
        }
        if (n <= 0) {
            return flow.written(n, Call.SEND);
        }
        if (flags != 0) {
            sends.sent(n, (long) sender << 32 | slot);
            pending[slot]++;
        } else if (!plain) {
            flow.copiedAfterAll += n;
        }
        if (takes) {
            flow.taken += n;
        } else {
            start += n;
        }
        flow.delivered += n;
        return sends.underWay() >= (learned ? BULK : FIRST_LOOK) ? reap() : Flow.Step.MOVED;
    }

    private Flow.Step reap() {
        long result = sends.reap(flow.kernel, socket, this::completed);
        return result < 0 ? flow.fail(Flow.Side.SINK, Call.RECVMSG, result) : Flow.Step.MOVED;
    }

    private void completed(long tag, long lengthBytes, boolean copied) {
        flow.completions++;
        if (tag >> 32 != sender) {
            return;
        }
        pending[(int) tag]--;
        learned = true;
        if (copied) {
            flow.copiedAfterAll += lengthBytes;
            if (!strict && !plain) {
                plain = true;
                flow.simplified("the kernel copied the bytes after all (SO_EE_CODE_ZEROCOPY_COPIED)");
            }
        }
    }

    @Override
    Flow.Step settle() {
        if (sends.underWay() == 0) {
            return Flow.Step.MOVED;
        }
        Flow.Step reaped = reap();
        if (reaped != Flow.Step.MOVED || sends.underWay() == 0) {
            return reaped;
        }
        long error = flow.kernel.sockets().takeError(socket);
        return error < 0 ? flow.fail(Flow.Side.SINK, Call.SEND, error) : Flow.Step.AWAITING_COMPLETIONS;
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno) || errno == Errno.ENOTSUPP;
    }

    @Override
    long inFlightBytes() {
        return sends.bytes();
    }

    /// Unmapping the ring is safe while sends are under way: the kernel has references to the pages, and nobody
    /// else gets them.
    @Override
    public void close() {
        if (ring != null) {
            ring.close();
        }
    }
}
