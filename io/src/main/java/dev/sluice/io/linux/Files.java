package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Set;

/// Files and directories: open(2), pread(2), pwrite(2), fsync(2), fallocate(2) and their kin.
///
/// Results are values ≥ 0 or −errno. A segment given to a call must be native memory; it is borrowed for the call.
/// Thread-safe.
public final class Files {
    // Flags of open(2), asm-generic/fcntl.h; those that differ by architecture come from Abi.
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_DSYNC = 0x1000;
    public static final int O_DIRECT = Abi.CURRENT.oDirect();
    public static final int O_DIRECTORY = Abi.CURRENT.oDirectory();
    public static final int O_NOFOLLOW = Abi.CURRENT.oNofollow();
    private static final int O_CLOEXEC = 0x80000;

    // Modes of fallocate(2), linux/falloc.h.
    public static final int FALLOC_FL_KEEP_SIZE = 0x01;
    public static final int FALLOC_FL_PUNCH_HOLE = 0x02;
    public static final int FALLOC_FL_ZERO_RANGE = 0x10;

    // Advice of posix_fadvise(2), linux/fadvise.h.
    public static final int FADV_NORMAL = 0;
    public static final int FADV_RANDOM = 1;
    public static final int FADV_SEQUENTIAL = 2;
    public static final int FADV_WILLNEED = 3;
    public static final int FADV_DONTNEED = 4;

    private static final int SEEK_SET = 0;
    private static final int SEEK_CUR = 1;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int AT_FDCWD = -100;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int RENAME_NOREPLACE = 1;

    /// STATX_BASIC_STATS | STATX_DIOALIGN | STATX_MNT_ID_UNIQUE, linux/stat.h.
    private static final int STATX_MASK = 0x7FF | 0x2000 | 0x4000;

    // struct flock and its commands, asm-generic/fcntl.h: i16 type, i16 whence, pad, i64 start, i64 len, i32 pid.
    private static final int F_OFD_SETLK = 37;
    private static final short F_WRLCK = 1;
    private static final long FLOCK_BYTES = 32;

    /// sizeof(struct statfs): i64 type, i64 block size, …: asm-generic/statfs.h.
    private static final long STATFS_BYTES = 120;

    private static final MethodHandle OPENAT = Native.variadic(
            "openat",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_INT),
            3);
    private static final MethodHandle READ = Native.function(
            "read", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_SIZE));
    private static final MethodHandle WRITE = Native.function(
            "write", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_SIZE));
    private static final MethodHandle PREAD = Native.function(
            "pread",
            FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_SIZE, Native.C_LONG));
    private static final MethodHandle PWRITE = Native.function(
            "pwrite",
            FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_SIZE, Native.C_LONG));
    private static final MethodHandle PWRITEV = Native.function(
            "pwritev",
            FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_LONG));
    private static final MethodHandle FSYNC =
            Native.function("fsync", FunctionDescriptor.of(Native.C_INT, Native.C_INT));
    private static final MethodHandle FDATASYNC =
            Native.function("fdatasync", FunctionDescriptor.of(Native.C_INT, Native.C_INT));
    private static final MethodHandle FALLOCATE = Native.function(
            "fallocate", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_LONG, Native.C_LONG));
    private static final MethodHandle FTRUNCATE =
            Native.function("ftruncate", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_LONG));
    private static final MethodHandle FCHMOD =
            Native.function("fchmod", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT));
    private static final MethodHandle FCHMODAT = Native.function(
            "fchmodat",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_INT));
    private static final MethodHandle STATX = Native.function(
            "statx",
            FunctionDescriptor.of(
                    Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_INT, Native.C_POINTER));
    private static final MethodHandle RENAMEAT2 = Native.function(
            "renameat2",
            FunctionDescriptor.of(
                    Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle UNLINKAT = Native.function(
            "unlinkat", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle MKDIRAT = Native.function(
            "mkdirat", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER, Native.C_INT));
    private static final MethodHandle FADVISE = Native.function(
            "posix_fadvise",
            FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_LONG, Native.C_LONG, Native.C_INT));
    private static final MethodHandle FCNTL_POINTER = Native.variadic(
            "fcntl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_POINTER), 2);

    private static final MethodHandle FCNTL_INT =
            Native.variadic("fcntl", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_INT, Native.C_INT), 2);

    private static final MethodHandle FSTATFS =
            Native.function("fstatfs", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER));

    private static final MethodHandle LSEEK =
            Native.function("lseek", FunctionDescriptor.of(Native.C_LONG, Native.C_INT, Native.C_LONG, Native.C_INT));

    private final Kernel kernel;

    Files(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Opens a file; the descriptor is close-on-exec, its calls are counted in `owner`.
    ///
    /// @param flags O_ flags of this class, or-ed
    /// @param mode  permission bits of a file that is made, before the umask
    public Opened open(Path path, int flags, int mode, Account owner) {
        String name = path.toString();
        long admitted = kernel.admit(Call.OPENAT, name);
        if (admitted < 0) {
            return kernel.opened(Call.OPENAT, admitted, name, owner);
        }
        MemorySegment captured = Native.capture();
        try (Arena arena = Arena.ofConfined()) {
            int result =
                    (int) OPENAT.invokeExact(captured, AT_FDCWD, Kernel.cString(arena, path), flags | O_CLOEXEC, mode);
            return kernel.opened(Call.OPENAT, Native.orErrno(result, captured), name, owner);
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// read(2) at the descriptor's own position.
    ///
    /// @return bytes read, 0 at the end of the file, or −errno
    public long read(Descriptor file, MemorySegment target) {
        long length = kernel.admit(Call.READ, file, -1, target.byteSize());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno((long) READ.invokeExact(captured, file.number(), target, length), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.READ, length, true);
    }

    /// write(2) at the descriptor's own position.
    ///
    /// @return bytes written, which may be fewer than asked, or −errno
    public long write(Descriptor file, MemorySegment source) {
        long length = kernel.admit(Call.WRITE, file, -1, source.byteSize());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno((long) WRITE.invokeExact(captured, file.number(), source, length), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.WRITE, length, true);
    }

    /// pread(2).
    ///
    /// @return bytes read, which may be fewer than asked; 0 at or past the end of the file; or −errno
    public long pread(Descriptor file, MemorySegment target, long position) {
        long length = kernel.admit(Call.PREAD, file, position, target.byteSize());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno(
                        (long) PREAD.invokeExact(captured, file.number(), target, length, position), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.PREAD, length, true);
    }

    /// Reads until `target` is full or the file ends, past short counts and EINTR.
    ///
    /// @return bytes read, fewer than asked only at the end of the file, or −errno
    public long preadFully(Descriptor file, MemorySegment target, long position) {
        long done = 0;
        while (done < target.byteSize()) {
            long n = pread(file, target.asSlice(done), position + done);
            if (n > 0) {
                done += n;
            } else if (n == 0) {
                break;
            } else if (n != -Errno.EINTR) {
                return n;
            }
        }
        return done;
    }

    /// pwrite(2).
    ///
    /// @return bytes written, which may be fewer than asked (a full disk, a size limit), or −errno
    public long pwrite(Descriptor file, MemorySegment source, long position) {
        return pwrite(file, source, 0, source.byteSize(), position);
    }

    private long pwrite(Descriptor file, MemorySegment memory, long from, long lengthBytes, long position) {
        long length = kernel.admit(Call.PWRITE, file, position, lengthBytes);
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                length = Native.orErrno(
                        (long) PWRITE.invokeExact(
                                captured, file.number(), memory.asSlice(from, lengthBytes), length, position),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.PWRITE, length, true);
    }

    /// Writes all of `source`, past short counts and EINTR. After an error some of it may stand in the file.
    ///
    /// @return the length of `source`, or −errno
    public long pwriteFully(Descriptor file, MemorySegment source, long position) {
        return pwriteFully(file, source, 0, source.byteSize(), position);
    }

    /// The same with a part of some memory.
    public long pwriteFully(Descriptor file, MemorySegment memory, long from, long lengthBytes, long position) {
        long done = 0;
        while (done < lengthBytes) {
            long n = pwrite(file, memory, from + done, lengthBytes - done, position + done);
            if (n > 0) {
                done += n;
            } else if (n == 0) {
                return -Errno.EIO; // pwrite of more than nothing never answers 0; don't spin if a device does
            } else if (n != -Errno.EINTR) {
                return n;
            }
        }
        return done;
    }

    /// pwritev(2).
    ///
    /// @param vectors filled through [IoVectors]
    /// @return bytes written, which may be fewer than asked, or −errno
    public long pwritev(Descriptor file, IoVectors vectors, long position) {
        long length = kernel.admit(Call.PWRITEV, file, position, vectors.lengthBytes());
        if (length >= 0) {
            MemorySegment captured = Native.capture();
            try {
                IoVectors admitted = vectors.shortenedTo(length);
                length = Native.orErrno(
                        (long) PWRITEV.invokeExact(
                                captured, file.number(), admitted.array(), admitted.count(), position),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.PWRITEV, length, true);
    }

    /// Counts zeros that a pwritev(2) carried behind the data: they are part of its bytes, and nobody's.
    public void countZerosAhead(Descriptor file, long lengthBytes) {
        kernel.record(file.account(), Call.ZEROS_AHEAD, lengthBytes, true);
    }

    /// fsync(2): content and metadata, of a file or a directory. A failure is reported once; see the class comment
    /// of whoever calls for what it then does. Never retry: the pages are marked clean after the first failure.
    public long fsync(Descriptor file) {
        long result = kernel.admit(Call.FSYNC, file);
        if (result == Gate.PRETEND) {
            result = 0;
        } else if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) FSYNC.invokeExact(captured, file.number()), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FSYNC, result, false);
    }

    /// fdatasync(2): content, and what metadata is needed to find it again (the length).
    public long fdatasync(Descriptor file) {
        long result = kernel.admit(Call.FDATASYNC, file);
        if (result == Gate.PRETEND) {
            result = 0;
        } else if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) FDATASYNC.invokeExact(captured, file.number()), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FDATASYNC, result, false);
    }

    /// fallocate(2): disk blocks for a range, so that writing to it cannot fail for want of space.
    ///
    /// @param mode 0, or FALLOC_FL_ flags
    public long fallocate(Descriptor file, int mode, long position, long lengthBytes) {
        long result = kernel.admit(Call.FALLOCATE, file, position, lengthBytes);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) FALLOCATE.invokeExact(captured, file.number(), mode, position, lengthBytes), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FALLOCATE, result, false);
    }

    /// ftruncate(2). Never below bytes that were published: a socket may still hold their pages.
    public long ftruncate(Descriptor file, long lengthBytes) {
        long result = kernel.admit(Call.FTRUNCATE, file, lengthBytes, 0);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) FTRUNCATE.invokeExact(captured, file.number(), lengthBytes), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FTRUNCATE, result, false);
    }

    /// fchmod(2): the permission bits of what is open. Of a UNIX socket that isn't bound yet, those that its path
    /// will have, without the umask's (unix(7)).
    public long changeMode(Descriptor file, int mode) {
        long result = kernel.admit(Call.FCHMOD, file);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) FCHMOD.invokeExact(captured, file.number(), mode), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FCHMOD, result, false);
    }

    /// fchmodat(2): the permission bits of what a path leads to.
    public long changeMode(Path path, int mode) {
        long result = kernel.admit(Call.FCHMODAT, path.toString());
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                result = Native.orErrno(
                        (int) FCHMODAT.invokeExact(captured, AT_FDCWD, Kernel.cString(arena, path), mode, 0), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.FCHMODAT, result, false);
    }

    /// statx(2) of an open descriptor.
    public FileStatus status(Descriptor file) throws ErrnoException {
        long admitted = kernel.admit(Call.STATX, file);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statx = arena.allocate(FileStatus.LAYOUT);
            if (admitted >= 0) {
                MemorySegment captured = Native.capture();
                int result = (int) STATX.invokeExact(
                        captured, file.number(), arena.allocateFrom(""), AT_EMPTY_PATH, STATX_MASK, statx);
                admitted = Native.orErrno(result, captured);
            }
            ErrnoException.check(kernel.record(file.account(), Call.STATX, admitted, false), Call.STATX, file.name());
            return FileStatus.read(statx);
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// statx(2) of a path; a symbolic link is not followed.
    public FileStatus status(Path path) throws ErrnoException {
        long admitted = kernel.admit(Call.STATX, path.toString());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statx = arena.allocate(FileStatus.LAYOUT);
            if (admitted >= 0) {
                MemorySegment captured = Native.capture();
                int result = (int) STATX.invokeExact(
                        captured, AT_FDCWD, Kernel.cString(arena, path), AT_SYMLINK_NOFOLLOW, STATX_MASK, statx);
                admitted = Native.orErrno(result, captured);
            }
            ErrnoException.check(
                    kernel.record(kernel.account(), Call.STATX, admitted, false), Call.STATX, path.toString());
            return FileStatus.read(statx);
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// renameat2(2): replaces `to` if it exists. Durable only after an fsync of the directory.
    public long rename(Path from, Path to) {
        return rename(from, to, 0);
    }

    /// renameat2(2) with RENAME_NOREPLACE: −EEXIST if `to` exists.
    public long renameNoReplace(Path from, Path to) {
        return rename(from, to, RENAME_NOREPLACE);
    }

    private long rename(Path from, Path to, int flags) {
        long result = kernel.admit(Call.RENAME, from.toString());
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                result = Native.orErrno(
                        (int) RENAMEAT2.invokeExact(
                                captured,
                                AT_FDCWD,
                                Kernel.cString(arena, from),
                                AT_FDCWD,
                                Kernel.cString(arena, to),
                                flags),
                        captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.RENAME, result, false);
    }

    /// unlinkat(2) of a file. Its content lives on while a descriptor, a mapping or a socket holds it.
    public long unlink(Path path) {
        return unlink(path, 0);
    }

    /// unlinkat(2) of an empty directory.
    public long removeDirectory(Path path) {
        return unlink(path, AT_REMOVEDIR);
    }

    private long unlink(Path path, int flags) {
        long result = kernel.admit(Call.UNLINK, path.toString());
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                result = Native.orErrno(
                        (int) UNLINKAT.invokeExact(captured, AT_FDCWD, Kernel.cString(arena, path), flags), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.UNLINK, result, false);
    }

    /// mkdirat(2).
    public long makeDirectory(Path path, int mode) {
        long result = kernel.admit(Call.MKDIR, path.toString());
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                result = Native.orErrno(
                        (int) MKDIRAT.invokeExact(captured, AT_FDCWD, Kernel.cString(arena, path), mode), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(kernel.account(), Call.MKDIR, result, false);
    }

    /// posix_fadvise(2).
    ///
    /// @param lengthBytes 0 for all up to the end of the file
    public long advise(Descriptor file, long position, long lengthBytes, int advice) {
        long result = kernel.admit(Call.FADVISE, file, position, lengthBytes);
        if (result >= 0) {
            try {
                // posix_fadvise answers the error number itself and leaves errno alone.
                result = -(int) FADVISE.invokeExact(Native.capture(), file.number(), position, lengthBytes, advice);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FADVISE, result, false);
    }

    /// Takes an exclusive lock on the whole file without waiting (F_OFD_SETLK): it conflicts with Kafka's own lock
    /// on the same file, and with another of ours in this process, and ends with the descriptor.
    ///
    /// @return 0, or −EAGAIN when another holds it
    public long tryLock(Descriptor file) {
        long result = kernel.admit(Call.FCNTL, file);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment flock = arena.allocate(FLOCK_BYTES, 8);
                flock.set(ValueLayout.JAVA_SHORT, 0, F_WRLCK);
                result = Native.orErrno(
                        (int) FCNTL_POINTER.invokeExact(captured, file.number(), F_OFD_SETLK, flock), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.FCNTL, result, false);
    }

    /// The O_ flags that a descriptor is open with (F_GETFL), or −errno.
    public long openFlags(Descriptor descriptor) {
        return control(descriptor, F_GETFL, 0);
    }

    /// Sets or clears O_NONBLOCK (F_GETFL, F_SETFL). It belongs to the open file, which other processes may share.
    ///
    /// @return 0 or −errno
    public long setNonBlocking(Descriptor descriptor, boolean nonBlocking) {
        long flags = openFlags(descriptor);
        return flags < 0
                ? flags
                : control(descriptor, F_SETFL, (int) (nonBlocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
    }

    /// fcntl(2) with an int, for the facilities that are reached by it: this class, [Leases], [MemoryFiles].
    long control(Descriptor descriptor, int command, int argument) {
        long result = kernel.admit(Call.FCNTL, descriptor);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno(
                        (int) FCNTL_INT.invokeExact(captured, descriptor.number(), command, argument), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(descriptor.account(), Call.FCNTL, result, false);
    }

    /// What an open file's file system is (fstatfs(2)).
    ///
    /// @param type       its magic number, linux/magic.h
    /// @param blockBytes clones begin and end on multiples of this
    /// @param totalBytes how large it is
    public record FileSystem(long type, long blockBytes, long totalBytes) {
        private static final Set<Long> REMOTE = Set.of(
                0x6969L, // NFS
                0xFF534D42L, // CIFS
                0xFE534D42L, // SMB2
                0x00C36400L, // Ceph
                0x65735546L, // FUSE, which may be remote
                0x01021997L); // 9P

        /// Whether a server holds the files, who might copy them by itself.
        public boolean isRemote() {
            return REMOTE.contains(type);
        }
    }

    /// fstatfs(2).
    public FileSystem system(Descriptor file) throws ErrnoException {
        long result = kernel.admit(Call.FSTATFS, file);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statfs = arena.allocate(STATFS_BYTES, 8);
            if (result >= 0) {
                MemorySegment captured = Native.capture();
                result = Native.orErrno((int) FSTATFS.invokeExact(captured, file.number(), statfs), captured);
            }
            ErrnoException.check(kernel.record(file.account(), Call.FSTATFS, result, false), Call.FSTATFS, file.name());
            long blockBytes = statfs.get(ValueLayout.JAVA_LONG, 8);
            return new FileSystem(
                    statfs.get(ValueLayout.JAVA_LONG, 0) & 0xFFFF_FFFFL,
                    blockBytes,
                    statfs.get(ValueLayout.JAVA_LONG, 16) * blockBytes);
        } catch (ErrnoException e) {
            throw e;
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
    }

    /// Another descriptor on the same open file, close-on-exec (fcntl(2), F_DUPFD_CLOEXEC): they share position and
    /// flags.
    ///
    /// @param number a descriptor of this process, whoever opened it
    public Opened duplicate(int number, String name, Account owner) {
        long result = kernel.admit(Call.FCNTL, name);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((int) FCNTL_INT.invokeExact(captured, number, F_DUPFD_CLOEXEC, 0), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.FCNTL, result, name, owner);
    }

    /// The descriptor's own position (lseek(2), SEEK_CUR), or −errno.
    public long ownPosition(Descriptor file) {
        return seek(file, 0, SEEK_CUR);
    }

    /// Sets the descriptor's own position (lseek(2), SEEK_SET), for calls that take none.
    ///
    /// @return the position, or −errno
    public long seek(Descriptor file, long position) {
        return seek(file, position, SEEK_SET);
    }

    private long seek(Descriptor file, long position, int whence) {
        long result = kernel.admit(Call.LSEEK, file, position, 0);
        if (result >= 0) {
            MemorySegment captured = Native.capture();
            try {
                result = Native.orErrno((long) LSEEK.invokeExact(captured, file.number(), position, whence), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.record(file.account(), Call.LSEEK, result, false);
    }
}
