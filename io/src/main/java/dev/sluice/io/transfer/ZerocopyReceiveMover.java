package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.TcpReceive;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.memory.MappingPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// TCP_ZEROCOPY_RECEIVE, and writing from the mapped pages. What can't be mapped is copied: small amounts by the same
/// call, more by recv(2).
///
/// Each answer is delivered before the next is asked for, because the next one replaces the mapped pages.
final class ZerocopyReceiveMover extends Mover {
    private static final long ROOM_BYTES = 2 << 20;
    private static final long PAGE_BYTES = 4096;

    /// What fills no page. Not more: where the queue holds no more than this, the kernel copies it without trying
    /// to map.
    private static final long REMAINDER_BYTES = PAGE_BYTES;

    /// A transfer that isn't strict gives up when nothing of its first bytes could be mapped.
    private static final long TRIAL_BYTES = 1 << 20;

    private final Descriptor socket;
    private final MappingPool buffers;
    private final boolean strict;
    private final Mapping room;
    private final Mapping buffer;
    private final TcpReceive.Window window;
    private MemorySegment mapped = MemorySegment.NULL;
    private MemorySegment copied = MemorySegment.NULL;
    private long mappedBytes;
    private long copiedBytes;

    ZerocopyReceiveMover(Flow flow, MappingPool buffers, boolean strict) throws ErrnoException {
        super(flow, Method.ZEROCOPY_RECEIVE);
        this.socket = Flow.descriptor(flow.source);
        this.buffers = buffers;
        this.strict = strict;
        long roomBytes = flow.chunkBytes > 0 ? (flow.chunkBytes + PAGE_BYTES - 1) & -PAGE_BYTES : ROOM_BYTES;
        this.room = Mapping.ofFile(flow.kernel, socket, 0, roomBytes, false);
        try {
            this.buffer = buffers.take(flow.kernel, Math.min(roomBytes, 256 << 10));
        } catch (ErrnoException e) {
            room.close();
            throw e;
        }
        this.window = new TcpReceive.Window(
                Arena.ofAuto(), room.segment(), buffer.segment().asSlice(0, REMAINDER_BYTES));
    }

    @Override
    Flow.Step step(long wanted) {
        if (mapped.byteSize() == 0 && copied.byteSize() == 0) {
            Flow.Step received = receive(flow.callBytes(wanted));
            if (received != Flow.Step.MOVED) {
                return received;
            }
        }
        while (mapped.byteSize() > 0 || copied.byteSize() > 0) {
            MemorySegment bytes = mapped.byteSize() > 0 ? mapped : copied;
            long n = flow.write(bytes);
            if (n <= 0) {
                return flow.written(n, flow.writeCall());
            }
            flow.delivered += n;
            if (mapped.byteSize() > 0) {
                mapped = mapped.asSlice(n);
            } else {
                copied = copied.asSlice(n);
            }
        }
        return Flow.Step.MOVED;
    }

    private Flow.Step receive(long most) {
        if (!strict && mappedBytes == 0 && copiedBytes >= TRIAL_BYTES) {
            return flow.fail(Flow.Side.SOURCE, Call.GETSOCKOPT, -Errno.EOPNOTSUPP);
        }
        if (most < REMAINDER_BYTES + PAGE_BYTES) {
            return copy(most); // no whole page fits beside the remainder
        }
        long n = flow.kernel.tcpReceive().receive(socket, window, most);
        if (n == -Errno.EIO) {
            return copy(most); // nothing is left and the peer has closed, and recv says so too
        }
        if (n < 0) {
            return flow.read(n, Call.GETSOCKOPT);
        }
        if (n == 0) {
            if (window.errno() != 0) {
                return flow.fail(Flow.Side.SOURCE, Call.GETSOCKOPT, -window.errno());
            }
            return window.toRead() > 0 ? copy(Math.min(most, window.toRead())) : Flow.Step.SOURCE_BLOCKED;
        }
        mapped = window.mapped();
        copied = window.copied();
        took(mapped.byteSize(), copied.byteSize());
        return Flow.Step.MOVED;
    }

    private Flow.Step copy(long most) {
        MemorySegment target = buffer.segment();
        long n = flow.kernel.sockets().recv(socket, target.asSlice(0, Math.min(most, target.byteSize())), 0);
        if (n == 0) {
            return Flow.Step.SOURCE_ENDED;
        }
        if (n < 0) {
            return flow.read(n, Call.RECV);
        }
        copied = target.asSlice(0, n);
        took(0, n);
        return Flow.Step.MOVED;
    }

    private void took(long byMapping, long byCopy) {
        mappedBytes += byMapping;
        copiedBytes += byCopy;
        flow.copiedAfterAll += byCopy;
        flow.taken += byMapping + byCopy;
    }

    @Override
    boolean isRefusal(int errno) {
        return super.isRefusal(errno) || errno == Errno.ENODEV || errno == Errno.ENOPROTOOPT;
    }

    @Override
    public void close() {
        buffers.give(buffer);
        room.close();
    }
}
