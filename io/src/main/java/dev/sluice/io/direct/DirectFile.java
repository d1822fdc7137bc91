package dev.sluice.io.direct;

import dev.sluice.io.async.BufferPool;
import dev.sluice.io.async.Completion;
import dev.sluice.io.async.FileOperation;
import dev.sluice.io.async.FileQueue;
import dev.sluice.io.async.PoolBuffer;
import dev.sluice.io.async.QueuedFile;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.FileStatus;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Opened;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A regular file or a raw block device, read and written past the page cache at any position and length.
///
/// The device moves whole blocks; what the caller asks for need not be whole. A read fetches the blocks around it. A
/// write reads the blocks at its two ends, changes them and writes them back:
///
/// ```
///  blocks     |----------|----------|----------|----------|
///  write             [═══════════════════════════════]
///             read, patch   straight from memory  read, patch
/// ```
///
/// So aligned ones ([#alignment]) are cheap, others cost up to two reads, and a power cut may tear the neighbours
/// inside the two end blocks.
///
/// The last block of a file is written whole, too, and the file cut to its length by the next [#sync] or [#close]:
/// until then the file on disk can be longer than [#sizeBytes], by less than a block of zeros.
///
/// What is on the device when a call returns:
/// - [#write]: the bytes have left for the device. Its own cache may still hold them, and the file system does not yet
///   know of blocks that were allocated for them, or of the new length: after a power cut they are gone unless the
///   range had been written and synced before.
/// - [#writeDurably], and [#write] followed by [#sync]: the bytes, the length, and the name if this object made the
///   file.
///
/// The first failure of a sync or of a durable write fences the file: the kernel reports a lost write once, so whoever
/// asked again would be told that all is well. Every write and sync then fails until the file was closed, opened and
/// looked at.
///
/// Owned by the queue's thread. Borrows queue, pool and kernel; owns its descriptor.
public final class DirectFile implements AutoCloseable {
    /// What to open a file for.
    public enum Access {
        /// Reading a file that is there.
        READ,
        /// Reading and writing a file that is there.
        READ_WRITE,
        /// Reading and writing; made, with mode 0644, if it is not there.
        CREATE
    }

    /// Pieces in flight for one call. Sixteen of 128 KiB or more keep a fast disk busy.
    private static final int WIDTH = 16;

    private final Kernel kernel;
    private final FileQueue queue;
    private final BufferPool pool;
    private final Path path;
    private final Descriptor descriptor;
    private final boolean isDevice;
    private final Alignment alignment;
    private final QueuedFile queued;
    private final RangeTransfer transfer;
    private final SyncWait syncWait = new SyncWait();
    private final FileOperation syncOperation = new FileOperation(syncWait, 0);

    private long sizeBytes;
    /// The file on disk is or may be longer than sizeBytes.
    private boolean padded;
    /// We made the file, and neither its metadata nor its name were forced to disk yet.
    private boolean fresh;

    private @Nullable ErrnoException fence;
    private boolean closed;

    private static final class SyncWait implements Completion {
        boolean over;
        int result;

        @Override
        public void completed(FileOperation operation, int newResult) {
            result = newResult;
            over = true;
        }
    }

    private DirectFile(
            Kernel kernel, FileQueue queue, BufferPool pool, Path path, Descriptor descriptor, boolean created)
            throws ErrnoException {
        this.kernel = kernel;
        this.queue = queue;
        this.pool = pool;
        this.path = path;
        this.descriptor = descriptor;
        FileStatus status = kernel.files().status(descriptor);
        this.isDevice = status.isBlockDevice();
        if (!isDevice && !status.isRegularFile()) {
            throw new ErrnoException(Call.OPENAT, Errno.EINVAL, path + ", which is neither a file nor a block device");
        }
        this.alignment = Alignment.of(kernel, descriptor, status);
        if (pool.bufferBytes() % alignment.positionBytes() != 0) {
            throw new IllegalArgumentException("Buffers of " + pool.bufferBytes() + " bytes don't fit " + path
                    + ", which wants multiples of " + alignment.positionBytes());
        }
        this.sizeBytes = isDevice
                ? ErrnoException.check(kernel.blockDevices().sizeBytes(descriptor), Call.IOCTL, descriptor.name())
                : status.sizeBytes();
        this.fresh = created;
        this.queued = queue.attach(descriptor, alignment.positionBytes());
        this.transfer = new RangeTransfer(queue, pool, queued, alignment, Math.min(WIDTH, queue.depth()));
    }

    /// Opens a file with O_DIRECT.
    ///
    /// @param queue runs its operations; others may use it too, on the same thread
    /// @param pool  for what is not aligned; best the one that the queue was opened with
    /// @param owner counts its calls and operations
    /// @throws ErrnoException EINVAL where the file system does not know O_DIRECT, EOPNOTSUPP where this file does
    ///                        not offer it
    public static DirectFile open(
            Kernel kernel, FileQueue queue, BufferPool pool, Path path, Access access, Account owner)
            throws ErrnoException {
        int flags = Files.O_DIRECT | (access == Access.READ ? Files.O_RDONLY : Files.O_RDWR);
        boolean created = false;
        Opened opened = new Opened.Failed(Call.OPENAT, Errno.ENOENT, path.toString());
        if (access == Access.CREATE) {
            opened = kernel.files().open(path, flags | Files.O_CREAT | Files.O_EXCL, 0644, owner);
            created = opened.errno() == 0;
        }
        // EEXIST: it is there already, and its name is somebody else's to have made durable.
        if (access != Access.CREATE || opened.errno() == Errno.EEXIST) {
            opened = kernel.files().open(path, flags, 0, owner);
        }
        if (opened.errno() == Errno.EINVAL) {
            throw new ErrnoException(
                    Call.OPENAT, Errno.EINVAL, path + " with O_DIRECT, which its file system does not offer");
        }
        Descriptor descriptor = opened.orThrow();
        try {
            return new DirectFile(kernel, queue, pool, path, descriptor, created);
        } catch (ErrnoException | RuntimeException e) {
            descriptor.close();
            throw e;
        }
    }

    /// What positions, lengths and addresses are best multiples of.
    public Alignment alignment() {
        return alignment;
    }

    /// The length of the file or device.
    public long sizeBytes() {
        return sizeBytes;
    }

    /// Whether it is a whole device or a partition of one, of fixed length, and no file.
    public boolean isBlockDevice() {
        return isDevice;
    }

    /// The path that it was opened by.
    public Path path() {
        return path;
    }

    /// The file as its queue knows it, for who stages operations of their own: aligned ones, into the pool's
    /// buffers. Who writes past the end that way calls [#extended].
    public QueuedFile queued() {
        return queued;
    }

    /// Takes an exclusive lock on the file (F_OFD_SETLK), without waiting. It ends with [#close].
    ///
    /// A process that was killed with writes in flight holds it until the last of them is done, so who has it knows
    /// that nothing changes the file any more: io_uring keeps a registered file, and its lock, open until then, and
    /// threads die after their last call.
    ///
    /// @return false when another descriptor holds it: another process, or what is left of one
    public boolean tryLock() throws ErrnoException {
        long result = kernel.files().tryLock(descriptor);
        if (result == -Errno.EAGAIN || result == -Errno.EACCES) {
            return false;
        }
        ErrnoException.check(result, Call.FCNTL, descriptor.name());
        return true;
    }

    /// Reads from a position until `target` is full or the file ends.
    ///
    /// @param target heap or native memory; native memory that fits the alignment is read into without a copy
    /// @return bytes read, fewer than asked only at the end of the file
    /// @throws ErrnoException with the position at which the device failed; the content of `target` is undefined
    ///                        then
    public long read(MemorySegment target, long position) throws ErrnoException {
        requireOpen();
        long length = Math.min(target.byteSize(), sizeBytes - position);
        if (position < 0) {
            throw new IllegalArgumentException("position " + position);
        }
        return length <= 0 ? 0 : Math.min(length, transfer.read(target.asSlice(0, length), position));
    }

    /// Writes all of `source` at a position. See the class for what is on the device then.
    ///
    /// @throws ErrnoException when the device failed or is full (ENOSPC; also for what would reach past the end of
    ///     a block device): any part of the range may have been written
    public void write(MemorySegment source, long position) throws ErrnoException {
        requireWritable();
        writeRange(source, position, false);
    }

    /// Writes all of `source`, and returns when it is on the device: one write with RWF_DSYNC where one write does
    /// it, writes and a sync otherwise.
    ///
    /// @throws ErrnoException as [#write] and [#sync] do; the file is fenced then
    public void writeDurably(MemorySegment source, long position) throws ErrnoException {
        requireWritable();
        long end = position + source.byteSize();
        boolean isOneWrite = alignment.isAligned(position)
                && alignment.isAligned(end)
                && source.byteSize() <= pool.bufferBytes()
                && !fresh
                && !padded;
        try {
            writeRange(source, position, isOneWrite);
        } catch (ErrnoException e) {
            fence = e;
            throw e;
        }
        if (!isOneWrite) {
            sync();
        }
    }

    private void writeRange(MemorySegment source, long position, boolean durable) throws ErrnoException {
        long length = source.byteSize();
        if (position < 0) {
            throw new IllegalArgumentException("position " + position);
        }
        if (length == 0) {
            return;
        }
        long end = position + length;
        if (isDevice && end > sizeBytes) {
            throw new ErrnoException(Call.PWRITEV2, Errno.ENOSPC, descriptor.name(), sizeBytes);
        }
        long bodyBegin = alignment.up(position);
        long bodyEnd = Math.max(alignment.down(end), bodyBegin);
        if (position < bodyBegin) {
            patchBlock(source.asSlice(0, Math.min(bodyBegin, end) - position), position);
        }
        if (bodyBegin < bodyEnd) {
            transfer.write(source.asSlice(bodyBegin - position, bodyEnd - bodyBegin), bodyBegin, durable);
            extended(bodyEnd);
        }
        if (bodyEnd < end) {
            patchBlock(source.asSlice(bodyEnd - position, end - bodyEnd), bodyEnd);
        }
    }

    /// Changes a part of one block: reads it, unless nothing is there yet, and writes all of it.
    private void patchBlock(MemorySegment source, long position) throws ErrnoException {
        PoolBuffer buffer = pool.take();
        if (buffer == null) {
            throw new IllegalStateException("All " + pool.count() + " buffers of the pool are taken by others, and "
                    + path + " needs one; make the pool larger");
        }
        try {
            long blockBegin = alignment.down(position);
            MemorySegment block = buffer.slice(0, alignment.positionBytes());
            long there = blockBegin < sizeBytes ? transfer.read(block, blockBegin) : 0;
            // What lies behind the end of the file reads as zeros once the file is longer.
            long kept = Math.min(there, Math.max(0, sizeBytes - blockBegin));
            block.asSlice(kept).fill((byte) 0);
            MemorySegment.copy(source, 0, block, position - blockBegin, source.byteSize());
            transfer.write(block, blockBegin, false);
            extended(position + source.byteSize());
        } finally {
            buffer.release();
        }
    }

    /// Says that operations staged by the caller have written up to `end`, in whole blocks: the file is at least
    /// that long from now on, and cut to its length by the next [#sync].
    public void extended(long end) {
        if (!isDevice) {
            sizeBytes = Math.max(sizeBytes, end);
            padded |= !alignment.isAligned(sizeBytes) && alignment.up(sizeBytes) <= alignment.up(end);
        }
    }

    /// Reserves blocks for a range, so that writing there can't fail for want of space. The length stays as it is.
    ///
    /// @throws ErrnoException ENOSPC when there is not enough; EOPNOTSUPP where the file system can't
    public void reserve(long position, long lengthBytes) throws ErrnoException {
        requireWritable();
        ErrnoException.check(
                kernel.files().fallocate(descriptor, Files.FALLOC_FL_KEEP_SIZE, position, lengthBytes),
                Call.FALLOCATE,
                descriptor.name());
    }

    /// Cuts the file, or makes it longer by zeros. Nothing that was published may be cut.
    public void truncate(long lengthBytes) throws ErrnoException {
        requireWritable();
        ErrnoException.check(kernel.files().ftruncate(descriptor, lengthBytes), Call.FTRUNCATE, descriptor.name());
        sizeBytes = lengthBytes;
        padded = false;
    }

    /// Returns when everything that was written is on the device, with the length, and the name of a file that this
    /// object made.
    ///
    /// @throws ErrnoException when it may not be; the file is fenced
    public void sync() throws ErrnoException {
        requireWritable();
        try {
            trim();
            forceToDevice();
            if (fresh) {
                syncFolder();
                fresh = false;
            }
        } catch (ErrnoException e) {
            fence = e;
            throw e;
        }
    }

    /// Whether a [#sync] would find something to do that no [#write] after the last one has caused: a new file's
    /// name, a length to cut.
    public boolean needsSync() {
        return fresh || padded;
    }

    private void trim() throws ErrnoException {
        if (padded) {
            ErrnoException.check(kernel.files().ftruncate(descriptor, sizeBytes), Call.FTRUNCATE, descriptor.name());
            padded = false;
        }
    }

    /// fdatasync brings the length along; a new file's owner and mode want an fsync.
    private void forceToDevice() throws ErrnoException {
        if (!queue.takesSyncs()) {
            long result =
                    fresh ? kernel.files().fsync(descriptor) : kernel.files().fdatasync(descriptor);
            ErrnoException.check(result, fresh ? Call.FSYNC : Call.FDATASYNC, descriptor.name());
            return;
        }
        syncOperation.sync(queued, !fresh);
        while (!queue.stage(syncOperation)) {
            queue.await(1, -1);
        }
        syncWait.over = false;
        while (!syncWait.over) {
            queue.await(1, -1);
        }
        ErrnoException.check(syncWait.result, fresh ? Call.FSYNC : Call.FDATASYNC, descriptor.name());
    }

    private void syncFolder() throws ErrnoException {
        Path folder = path.toAbsolutePath().getParent();
        if (folder == null) {
            return;
        }
        try (Descriptor opened = kernel.files()
                .open(folder, Files.O_RDONLY | Files.O_DIRECTORY, 0, descriptor.account())
                .orThrow()) {
            ErrnoException.check(kernel.files().fsync(opened), Call.FSYNC, opened.name());
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException(path + " is closed");
        }
    }

    private void requireWritable() throws ErrnoException {
        requireOpen();
        ErrnoException first = fence;
        if (first != null) {
            ErrnoException again = new ErrnoException(
                    first.call(),
                    first.errno(),
                    path + ", fenced since then: close it, open it and look what is there");
            again.initCause(first);
            throw again;
        }
    }

    /// Gives the file its length and closes it. Durable is only what was synced.
    ///
    /// @throws ErrnoException when the length could not be set
    @Override
    public void close() throws ErrnoException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (fence == null) {
                trim();
            }
        } finally {
            queue.detach(queued);
            descriptor.close();
        }
    }
}
