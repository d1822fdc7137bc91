package dev.sluice.io.transfer;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.IoVectors;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Polls;
import dev.sluice.io.linux.VectoredFiles;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// The state of one transfer that its movers share, one after the other when a method is given up for the next: the
/// ends, how far it is, and what went wrong last. Owned by the transfer's thread.
///
/// ```
/// source.position                                     sink.position
///   |--------- taken ---------|                         |----- delivered -----|
///                    delivered ≤ taken ≤ lengthBytes; the difference lies in the mover (a buffer, a pipe)
/// ```
final class Flow {
    /// What a mover's step came to.
    enum Step {
        /// Bytes moved, or a call was interrupted: go on.
        MOVED,
        /// The source has no more: the end of the file, or the peer has closed.
        SOURCE_ENDED,
        /// Wait until the source is readable.
        SOURCE_BLOCKED,
        /// Wait until the sink is writable.
        SINK_BLOCKED,
        /// Wait for a message in the sink's error queue.
        AWAITING_COMPLETIONS,
        /// See [Flow#failedCall] and its kin.
        FAILED
    }

    /// Which end a call was for. EITHER when it was for both and only the error number can tell.
    enum Side {
        SOURCE,
        SINK,
        EITHER
    }

    /// The kernel moves at most this in one call: MAX_RW_COUNT of linux/fs.h.
    static final long MOST_PER_CALL = 0x7ffff000L;

    /// What a call is bounded to while somebody wants to be told or to cancel: some milliseconds of work.
    private static final long WATCHED_CALL_BYTES = 8 << 20;

    /// A write of this many bytes to a pipe that is ready doesn't wait (pipe(7), PIPE_BUF).
    private static final long PIPE_BUF = 4096;

    /// For preadv2 and pwritev2 of what has no positions.
    private static final long STREAM = -1;

    final Kernel kernel;
    final Endpoint source;
    final Endpoint sink;
    final long lengthBytes;
    final int chunkBytes;
    final boolean prefaulted;
    final MemorySegment scratch;
    private final VectoredFiles vectored;

    /// Whether somebody wants to be asked while a call waits: then no call may wait for ever.
    final boolean limited;

    private final boolean watched;
    private final boolean guardSource;
    private final boolean guardSink;

    long taken;
    long delivered;

    /// Bytes that a zero-copy method was asked to move and the kernel said it copied, or couldn't map.
    long copiedAfterAll;

    /// Zero-copy sends that the kernel is done with: progress too, for who waits for it.
    long completions;

    /// Bytes that were copied between the heap and native memory.
    long staged;

    /// Why a mover has gone over to a simpler method by itself; null when none has.
    @Nullable String simplification;

    Call failedCall = Call.READ;
    int failedErrno;
    Side failedSide = Side.EITHER;

    /// Where the source file turned out to end, when a mover noticed after the fact that it had moved bytes from
    /// beyond; else -1.
    long sourceEndedAt = -1;

    /// @param guardSource whether the source is a blocking pipe that must be asked before each call
    /// @param guardSink   likewise
    Flow(
            Kernel kernel,
            Endpoint source,
            Endpoint sink,
            long lengthBytes,
            TransferOptions options,
            boolean guardSource,
            boolean guardSink) {
        this.kernel = kernel;
        this.vectored = kernel.vectoredFiles();
        this.source = source;
        this.sink = sink;
        this.lengthBytes = lengthBytes;
        this.chunkBytes = options.chunkBytes();
        this.prefaulted = options.prefaulted();
        this.limited = options.hasLimits();
        this.watched = limited || options.listener().isPresent();
        this.guardSource = guardSource;
        this.guardSink = guardSink;
        this.scratch = Arena.ofAuto().allocate(32, 8);
    }

    boolean untilEnd() {
        return lengthBytes == Transfer.UNTIL_END;
    }

    long left() {
        return lengthBytes - taken;
    }

    /// The most that one call shall be asked for.
    long callBytes(long wanted) {
        long most = chunkBytes > 0 ? chunkBytes : watched ? WATCHED_CALL_BYTES : MOST_PER_CALL;
        return Math.min(Math.min(wanted, left()), most);
    }

    long sourcePosition() {
        return ((Endpoint.File) source).position() + taken;
    }

    long sinkPosition() {
        return ((Endpoint.File) sink).position() + delivered;
    }

    static Descriptor descriptor(Endpoint end) {
        return switch (end) {
            case Endpoint.Open open -> open.descriptor();
            case Endpoint.Memory _ -> throw new IllegalStateException("memory has no descriptor");
        };
    }

    /// Reads the next bytes of the source; the caller adds what came to [#taken].
    long read(MemorySegment target) {
        return switch (source) {
            case Endpoint.File file -> kernel.files().pread(file.descriptor(), target, file.position() + taken);
            case Endpoint.Socket socket -> kernel.sockets().recv(socket.descriptor(), target, 0);
            case Endpoint.Pipe pipe -> sourceReady() ? kernel.files().read(pipe.descriptor(), target) : -Errno.EAGAIN;
            case Endpoint.Memory _ -> throw new IllegalStateException("memory isn't read by a call");
        };
    }

    /// Reads the next bytes of the source into several places, in their order.
    long read(IoVectors targets) {
        return switch (source) {
            case Endpoint.File file -> vectored.preadv2(file.descriptor(), targets, file.position() + taken, 0, 1);
            case Endpoint.Socket socket -> vectored.preadv2(socket.descriptor(), targets, STREAM, 0, 1);
            case Endpoint.Pipe pipe ->
                sourceReady() ? vectored.preadv2(pipe.descriptor(), targets, STREAM, 0, 1) : -Errno.EAGAIN;
            case Endpoint.Memory _ -> throw new IllegalStateException("memory isn't read by a call");
        };
    }

    Call readCall() {
        return switch (source.kind()) {
            case FILE -> Call.PREAD;
            case SOCKET -> Call.RECV;
            default -> Call.READ;
        };
    }

    /// Writes the next bytes to the sink; the caller adds what went to [#delivered].
    long write(MemorySegment bytes) {
        return switch (sink) {
            case Endpoint.File file -> kernel.files().pwrite(file.descriptor(), bytes, file.position() + delivered);
            case Endpoint.Socket socket -> kernel.sockets().send(socket.descriptor(), bytes, 0);
            case Endpoint.Pipe pipe -> {
                MemorySegment part = bytes.asSlice(0, writeBytes(bytes.byteSize()));
                yield sinkReady() ? kernel.files().write(pipe.descriptor(), part) : -Errno.EAGAIN;
            }
            case Endpoint.Memory _ -> throw new IllegalStateException("memory isn't written by a call");
        };
    }

    /// Writes the next bytes to the sink from several places, in their order.
    ///
    /// @param pieces at most [#writeBytes]
    long write(IoVectors pieces) {
        return switch (sink) {
            case Endpoint.File file -> vectored.pwritev2(file.descriptor(), pieces, file.position() + delivered, 0, 1);
            case Endpoint.Socket socket -> kernel.sockets().sendmsg(socket.descriptor(), pieces, 0);
            case Endpoint.Pipe pipe ->
                sinkReady() ? vectored.pwritev2(pipe.descriptor(), pieces, STREAM, 0, 1) : -Errno.EAGAIN;
            case Endpoint.Memory _ -> throw new IllegalStateException("memory isn't written by a call");
        };
    }

    /// What of some bytes may be written by one call: all, unless the sink is a blocking pipe in a transfer with
    /// limits.
    long writeBytes(long lengthBytes) {
        return guardSink ? Math.min(lengthBytes, PIPE_BUF) : lengthBytes;
    }

    Call gatherCall() {
        return sink.kind() == Endpoint.Kind.SOCKET ? Call.SENDMSG : Call.PWRITEV2;
    }

    Call writeCall() {
        return switch (sink.kind()) {
            case FILE -> Call.PWRITE;
            case SOCKET -> Call.SEND;
            default -> Call.WRITE;
        };
    }

    /// Whether a call may take from the source: always, unless it is a blocking pipe in a transfer with limits.
    boolean sourceReady() {
        return !guardSource || ready(source, Polls.POLLIN);
    }

    /// Whether a call may write to the sink: likewise.
    boolean sinkReady() {
        return !guardSink || ready(sink, Polls.POLLOUT);
    }

    /// Whether the sink would take bytes now: who of two it was that answered EAGAIN.
    boolean sinkWouldTake() {
        return ready(sink, Polls.POLLOUT);
    }

    private boolean ready(Endpoint end, int events) {
        return kernel.polls().await(descriptor(end), events, 0, scratch) != 0;
    }

    /// Asks a source file for one byte at the place where it is: 1 when there is one, 0 when it ends there, or
    /// −errno.
    long probeSource() {
        Endpoint.File file = (Endpoint.File) source;
        while (true) {
            long n = kernel.files().pread(file.descriptor(), scratch.asSlice(0, 1), file.position() + taken);
            if (n != -Errno.EINTR) {
                return n;
            }
        }
    }

    /// Where a source file ends now; for a block device, and where the system doesn't say, far away.
    long sourceSize() {
        try {
            FileStatus status = kernel.files().status(descriptor(source));
            return status.isRegularFile() ? status.sizeBytes() : Long.MAX_VALUE;
        } catch (ErrnoException e) {
            return Long.MAX_VALUE;
        }
    }

    /// The part of a source file's bytes that lie in the page cache, 0 to 1; -1 for other sources and where the
    /// system doesn't tell.
    ///
    /// @param untallied the kernel to ask, for the question isn't part of the transfer
    double cachedShare(Kernel untallied) throws ErrnoException {
        if (!(source instanceof Endpoint.File file)) {
            return -1;
        }
        long size = untallied.files().status(file.descriptor()).sizeBytes();
        long length = Math.min(lengthBytes, size - file.position());
        if (length <= 0) {
            return -1;
        }
        long resident = untallied.pageCache().residentBytes(file.descriptor(), file.position(), length);
        return resident < 0 ? -1 : (double) resident / length;
    }

    /// What a call on one end that answered `result` ≤ 0 comes to.
    Step read(long result, Call call) {
        return outcome(result, call, Side.SOURCE, Step.SOURCE_BLOCKED);
    }

    Step written(long result, Call call) {
        return outcome(result, call, Side.SINK, Step.SINK_BLOCKED);
    }

    Step outcome(long result, Call call, Side side, Step blocked) {
        if (result == -Errno.EAGAIN) {
            return blocked;
        }
        if (result == -Errno.EINTR) {
            return Step.MOVED;
        }
        return fail(side, call, result == 0 ? -Errno.EIO : result);
    }

    void simplified(String why) {
        simplification = why;
    }

    Step fail(Side side, Call call, long result) {
        failedSide = side;
        failedCall = call;
        failedErrno = (int) -result;
        return Step.FAILED;
    }
}
