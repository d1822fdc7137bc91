package dev.sluice.cli.compare;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Pipes;
import dev.sluice.io.linux.Sockets;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Sends so that a receiver can map what comes (TCP_ZEROCOPY_RECEIVE): segments of one page each, each page whole, no
/// file's and nobody else's.
///
/// A card with header splitting and an MTU above 4 KiB does that for whatever is sent. Without one, as on loopback, the
/// receiver gets the sender's own pages. Those of a file can't be mapped (`can_map_frag` of net/ipv4/tcp.c), those that
/// were written to a pipe and spliced on can.
public final class WholePages {
    private static final int PAGE_BYTES = 4096;

    /// Timestamps in every segment (RFC 7323) take 12 bytes of it.
    private static final int SEGMENT_BYTES = PAGE_BYTES + 12;

    /// A pipe holds 16 pages (pipe(7)).
    private static final int PIPE_BYTES = 16 * PAGE_BYTES;

    private WholePages() {}

    /// Has a listener ask for such segments, or for the usual ones again, from connections that come from now on.
    public static void announce(Kernel kernel, Descriptor listener, boolean whole) {
        kernel.sockets().setOption(listener, Sockets.IPPROTO_TCP, Sockets.TCP_MAXSEG, whole ? SEGMENT_BYTES : 0);
    }

    public static void send(Kernel kernel, Descriptor file, long position, long lengthBytes, Descriptor socket)
            throws IOException {
        Pipes.Ends pipe = kernel.pipes().open(true, kernel.account());
        try (Descriptor in = pipe.writeEnd();
                Descriptor out = pipe.readEnd();
                Arena arena = Arena.ofConfined()) {
            MemorySegment pages = arena.allocate(PIPE_BYTES, PAGE_BYTES);
            MemorySegment scratch = arena.allocate(16, 8);
            for (long done = 0; done < lengthBytes; ) {
                MemorySegment piece = pages.asSlice(0, Math.min(PIPE_BYTES, lengthBytes - done));
                long n = ErrnoException.check(
                        kernel.files().pread(file, piece, position + done), Call.PREAD, file.name());
                if (n == 0) {
                    throw new EOFException(file.name() + " ended");
                }
                // The pipe is empty and has room for all of it, page by page.
                long written =
                        ErrnoException.check(kernel.files().write(in, piece.asSlice(0, n)), Call.WRITE, in.name());
                for (long left = written; left > 0; ) {
                    long moved =
                            kernel.pipes().splice(out, Pipes.NO_POSITION, socket, Pipes.NO_POSITION, left, 0, scratch);
                    if (moved != -Errno.EINTR) {
                        left -= ErrnoException.check(moved, Call.SPLICE, socket.name());
                    }
                }
                done += written;
            }
        }
    }
}
