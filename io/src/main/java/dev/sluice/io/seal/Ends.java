package dev.sluice.io.seal;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.memory.Pieces;
import dev.sluice.io.transfer.Cancellation;
import dev.sluice.io.transfer.Endpoint;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Full reads from a source and full writes to a sink, blocking or not, past short counts and interruptions. Owned by
/// one thread.
final class Ends {
    private static final int WAIT_MS = (int) TimeUnit.NANOSECONDS.toMillis(Cancellation.LATENCY_NS);

    private final Kernel kernel;
    private final Endpoint source;
    private final Endpoint sink;
    private final @Nullable Cancellation cancellation;
    private final MemorySegment scratch;
    private final long mostBytes;
    private long taken;
    private long given;

    /// @param mostBytes to take from the source; what follows counts as its end
    Ends(
            Kernel kernel,
            Endpoint source,
            Endpoint sink,
            @Nullable Cancellation cancellation,
            MemorySegment scratch,
            long mostBytes) {
        this.kernel = kernel;
        this.source = source;
        this.sink = sink;
        this.cancellation = cancellation;
        this.scratch = scratch;
        this.mostBytes = mostBytes;
    }

    /// The same ends, further on, with another scratch memory.
    Ends continuing(MemorySegment newScratch) {
        Ends next = new Ends(kernel, source, sink, cancellation, newScratch, mostBytes);
        next.taken = taken;
        next.given = given;
        return next;
    }

    /// Reads until `target` is full or the source has ended.
    ///
    /// @return bytes read, fewer than the target's only at the end
    long readFully(MemorySegment target) throws ErrnoException {
        long done = 0;
        long wanted = Math.min(target.byteSize(), mostBytes - taken);
        while (done < wanted) {
            checkCancelled();
            MemorySegment room = target.asSlice(done, wanted - done);
            long n = switch (source) {
                case Endpoint.File(Descriptor file, long position) ->
                    kernel.files().pread(file, room, position + taken);
                case Endpoint.Socket(Descriptor socket) -> kernel.sockets().recv(socket, room, 0);
                case Endpoint.Pipe(Descriptor pipe) -> kernel.files().read(pipe, room);
                case Endpoint.Memory memory -> fromMemory(memory.pieces(), room);
            };
            if (n == 0) {
                break;
            }
            if (n == -Errno.EAGAIN) {
                await(source, Polls.POLLIN);
            } else if (n != -Errno.EINTR) {
                ErrnoException.check(n, Call.READ, source.name());
                done += n;
                taken += n;
            }
        }
        return done;
    }

    private long fromMemory(Pieces memory, MemorySegment room) {
        long n = Math.min(room.byteSize(), memory.lengthBytes() - taken);
        memory.copyTo(taken, room.asSlice(0, n));
        return n;
    }

    void writeFully(MemorySegment bytes) throws ErrnoException {
        long done = 0;
        while (done < bytes.byteSize()) {
            checkCancelled();
            MemorySegment rest = bytes.asSlice(done);
            long n = switch (sink) {
                case Endpoint.File(Descriptor file, long position) ->
                    kernel.files().pwrite(file, rest, position + given);
                case Endpoint.Socket(Descriptor socket) -> kernel.sockets().send(socket, rest, 0);
                case Endpoint.Pipe(Descriptor pipe) -> kernel.files().write(pipe, rest);
                case Endpoint.Memory memory -> intoMemory(memory.pieces(), rest);
            };
            if (n == -Errno.EAGAIN) {
                await(sink, Polls.POLLOUT);
            } else if (n != -Errno.EINTR) {
                ErrnoException.check(n == 0 ? -Errno.EIO : n, Call.WRITE, sink.name());
                done += n;
                given += n;
            }
        }
    }

    private long intoMemory(Pieces memory, MemorySegment rest) {
        long n = Math.min(rest.byteSize(), memory.lengthBytes() - given);
        memory.copyFrom(given, rest.asSlice(0, n));
        return n == 0 ? -Errno.ENOSPC : n;
    }

    private void await(Endpoint end, int events) throws ErrnoException {
        Descriptor descriptor = switch (end) {
            case Endpoint.Open open -> open.descriptor();
            case Endpoint.Memory _ -> throw new IllegalStateException("memory never waits");
        };
        long ready = kernel.polls().await(descriptor, events, WAIT_MS, scratch);
        if (ready < 0 && ready != -Errno.EINTR) {
            throw new ErrnoException(Call.POLL, (int) -ready, end.name());
        }
    }

    private void checkCancelled() {
        if (cancellation != null && cancellation.isCancelled()) {
            throw new CancellationException(source.name() + " to " + sink.name() + " was cancelled");
        }
    }
}
