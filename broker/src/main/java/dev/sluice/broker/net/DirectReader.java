package dev.sluice.broker.net;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.SocketWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads from the disk what consumers want and the page cache shall not be filled with: by O_DIRECT into memory of its
/// own, which the loop sends. A [DirectStream] for each consumer and file reads ahead.
///
/// Thread-safe.
final class DirectReader implements AutoCloseable {
    /// Takes what was read, once: on a thread that may wait for the disk, or on that which has asked.
    interface Sink {
        /// @param bytes at most what was asked for, at least one
        /// @param hold  keeps them; to be released on the loop, when they were sent or given up
        void read(MemorySegment bytes, Hold hold);

        void failed(int errno);
    }

    private static final Logger LOG = LoggerFactory.getLogger(DirectReader.class);

    /// What positions and lengths are multiples of: no file system asks for more.
    static final long BLOCK_BYTES = 4096;

    private final Kernel kernel;
    private final Account account = Account.root("direct reads");
    private final DirectMemory memory;
    private final ColdThreads threads;
    private final ColdFiles files;

    /// @param threads that may wait for the disk; borrowed
    /// @param files   what it opens is kept there; borrowed
    DirectReader(Kernel kernel, ColdThreads threads, ColdFiles files) {
        this.kernel = kernel;
        this.memory = new DirectMemory(kernel);
        this.threads = threads;
        this.files = files;
    }

    ColdThreads threads() {
        return threads;
    }

    DirectMemory memory() {
        return memory;
    }

    /// Reads at most [SocketWriter.Cold#lengthBytes] of the range, and ahead of it where the reader goes on in
    /// sequence. Called on a loop; the range's file need not stay open. One range at a time for each reader.
    ///
    /// @param reader who will send it, told apart by identity; to be forgotten by the files when it is gone: the
    ///               sink is then not told any more
    /// @throws ErrnoException when the file can't be opened once more, or no thread begun
    void read(Object reader, SocketWriter.Cold range, Sink sink) throws ErrnoException {
        try {
            boolean isRead = files.use(reader, range.file()) instanceof DirectStream known && known.read(range, sink);
            if (!isRead) {
                files.makeRoom(reader);
                DirectStream begun = new DirectStream(this, reopen(range.file()));
                begun.read(range, sink); // before others see it, and find it at rest
                files.keep(reader, range.file(), begun);
            }
        } catch (RejectedExecutionException e) {
            throw new ErrnoException(Call.PREAD, Errno.EIO, "the broker stops");
        } catch (RuntimeException | Error e) { // OutOfMemoryError when the kernel has no thread for us
            LOG.error("{} can't be read: no thread could be begun", range.file().name(), e);
            throw new ErrnoException(
                    Call.PREAD,
                    Errno.EAGAIN,
                    "no thread to read " + range.file().name());
        }
    }

    /// A descriptor of its own, of the same file even if it was unlinked.
    private Descriptor reopen(Descriptor file) throws ErrnoException {
        Path path = Path.of("/proc/self/fd/" + file.number());
        return kernel.files()
                .open(path, Files.O_RDONLY | Files.O_DIRECT, 0, account)
                .orThrow();
    }

    /// @param position multiple of [#BLOCK_BYTES], as is the target's length
    /// @return bytes, fewer than the target has room for only at the file's end or before what can't be read; or
    ///     −errno
    long fill(Descriptor file, long position, MemorySegment target) {
        long done = 0;
        while (done < target.byteSize()) {
            long read = kernel.files().pread(file, target.asSlice(done), position + done);
            if (read == -Errno.EINTR) {
                continue;
            }
            if (read < 0 && done == 0) {
                return read;
            }
            done += Math.max(0, read);
            if (read <= 0 || read % BLOCK_BYTES != 0) {
                break;
            }
        }
        return done;
    }

    long sizeBytes(Descriptor file) throws ErrnoException {
        return kernel.files().status(file).sizeBytes();
    }

    /// After its threads and the loops have ended, and its files were closed.
    @Override
    public void close() {
        memory.close();
    }
}
