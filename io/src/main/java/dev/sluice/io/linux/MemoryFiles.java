package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.invoke.MethodHandle;

/// Files that live in memory alone and have no path, memfd_create(2), and the seals on them, fcntl(2). Their size,
/// maps and allocation are handled by [Files] and [Mappings] like those of any file. Results are values ≥ 0 or −errno.
/// Thread-safe.
///
/// A seal can't be taken off, and it binds everybody who has the file, however they opened it. Mode bits bind less: a
/// descriptor that was opened read-only is opened for writing again through /proc/self/fd wherever the mode bits let
/// its holder, root always. What must stay read-only for others is sealed with [#F_SEAL_FUTURE_WRITE].
public final class MemoryFiles {
    // Seals, linux/fcntl.h.
    /// No more seals.
    public static final int F_SEAL_SEAL = 0x01;
    /// The file doesn't become shorter: no SIGBUS behind its end.
    public static final int F_SEAL_SHRINK = 0x02;
    /// The file doesn't become longer.
    public static final int F_SEAL_GROW = 0x04;
    /// The content doesn't change. Refused with EBUSY while a shared writable map exists.
    public static final int F_SEAL_WRITE = 0x08;
    /// The content changes through the shared writable maps that exist and by no other way: no write, no new
    /// writable map, no hole punched, also not by those who have such a map (Linux 5.1).
    public static final int F_SEAL_FUTURE_WRITE = 0x10;

    // Flags, linux/memfd.h.
    private static final int MFD_CLOEXEC = 0x1;
    private static final int MFD_ALLOW_SEALING = 0x2;
    private static final int MFD_NOEXEC_SEAL = 0x8;

    // Commands, linux/fcntl.h.
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;

    private static final MethodHandle MEMFD_CREATE =
            Native.function("memfd_create", FunctionDescriptor.of(Native.C_INT, Native.C_POINTER, Native.C_INT));

    private final Kernel kernel;

    MemoryFiles(Kernel kernel) {
        this.kernel = kernel;
    }

    /// A new, empty file that takes seals, open for reading and writing, close-on-exec. It can't be executed where
    /// the kernel knows how to say so (Linux 6.3, MFD_NOEXEC_SEAL).
    ///
    /// @param name for /proc and error messages; need not be unique
    public Opened create(String name, Account owner) {
        Opened opened = create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL, owner);
        return opened.errno() == Errno.EINVAL ? create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING, owner) : opened;
    }

    private Opened create(String name, int flags, Account owner) {
        long result = kernel.admit(Call.MEMFD_CREATE, name);
        if (result >= 0) {
            var captured = Native.capture();
            try (Arena arena = Arena.ofConfined()) {
                result = Native.orErrno(
                        (int) MEMFD_CREATE.invokeExact(captured, arena.allocateFrom(name), flags), captured);
            } catch (Throwable t) {
                throw Native.unexpected(t);
            }
        }
        return kernel.opened(Call.MEMFD_CREATE, result, name, owner);
    }

    /// Adds seals to those that there are.
    ///
    /// @param seals the F_SEAL_ bits of this class, or-ed
    /// @return 0; −EPERM when the file takes no more seals or the descriptor is read-only; −EINVAL when it is no
    ///     file in memory; or another −errno
    public long addSeals(Descriptor file, int seals) {
        return kernel.files().control(file, F_ADD_SEALS, seals);
    }

    /// The seals that there are, or −errno: −EINVAL when it is no file in memory.
    public long seals(Descriptor file) {
        return kernel.files().control(file, F_GET_SEALS, 0);
    }
}
