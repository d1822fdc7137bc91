package dev.sluice.io.linux;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;

/// What statx(2) says about a file.
///
/// @param mode                 type and permission bits
/// @param inode                inode number
/// @param sizeBytes            length; 0 for a block device
/// @param allocatedBytes       512-byte blocks × 512: less than `sizeBytes` where the file is sparse
/// @param ioSizeBytes          preferred size of an I/O
/// @param device               device of the file system, major << 32 | minor
/// @param links                hard links; 0 once the file was unlinked
/// @param directMemoryAlign    alignment of memory for O_DIRECT in bytes, 0 where it is not offered or not known
/// @param directPositionAlign  alignment of position and length for O_DIRECT in bytes, 0 likewise
/// @param modifiedNs           time of the last change of the content, ns since the epoch
/// @param isDirectKnown        whether the kernel and file system said anything about O_DIRECT (Linux 6.1,
///     STATX_DIOALIGN): zeros above then mean that this file does not offer it
/// @param mountId              number of the mount that it was reached by, which no other mount has until the machine
///     starts again; 0 where the kernel does not tell (Linux 6.8, STATX_MNT_ID_UNIQUE)
public record FileStatus(
        int mode,
        long inode,
        long sizeBytes,
        long allocatedBytes,
        int ioSizeBytes,
        long device,
        int links,
        int directMemoryAlign,
        int directPositionAlign,
        long modifiedNs,
        boolean isDirectKnown,
        long mountId) {

    private static final int TYPE_MASK = 0xF000;
    private static final int DIRECTORY = 0x4000;
    private static final int REGULAR = 0x8000;
    private static final int BLOCK_DEVICE = 0x6000;
    private static final int SOCKET = 0xC000;
    private static final int STATX_DIOALIGN = 0x2000;
    private static final int STATX_MNT_ID_UNIQUE = 0x4000;

    /// struct statx of `linux/stat.h`: fixed-width fields, the same on every architecture.
    ///
    /// ```
    ///   0 u32 mask      4 u32 blksize   8 u64 attributes   16 u32 nlink    20 u32 uid    24 u32 gid   28 u16 mode
    ///  32 u64 ino      40 u64 size     48 u64 blocks       56 u64 attributes_mask
    ///  64 atime        80 btime        96 ctime           112 mtime {i64 sec, u32 nsec, pad}
    /// 128 u32 rdev_major  132 u32 rdev_minor  136 u32 dev_major  140 u32 dev_minor  144 u64 mnt_id
    /// 152 u32 dio_mem_align  156 u32 dio_offset_align   … 256
    /// ```
    static final StructLayout LAYOUT =
            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(32, ValueLayout.JAVA_LONG));

    static FileStatus read(MemorySegment statx) {
        return new FileStatus(
                Short.toUnsignedInt(statx.get(ValueLayout.JAVA_SHORT, 28)),
                statx.get(ValueLayout.JAVA_LONG, 32),
                statx.get(ValueLayout.JAVA_LONG, 40),
                statx.get(ValueLayout.JAVA_LONG, 48) * 512,
                statx.get(ValueLayout.JAVA_INT, 4),
                (long) statx.get(ValueLayout.JAVA_INT, 136) << 32 | statx.get(ValueLayout.JAVA_INT, 140),
                statx.get(ValueLayout.JAVA_INT, 16),
                statx.get(ValueLayout.JAVA_INT, 152),
                statx.get(ValueLayout.JAVA_INT, 156),
                statx.get(ValueLayout.JAVA_LONG, 112) * 1_000_000_000L + statx.get(ValueLayout.JAVA_INT, 120),
                (statx.get(ValueLayout.JAVA_INT, 0) & STATX_DIOALIGN) != 0,
                (statx.get(ValueLayout.JAVA_INT, 0) & STATX_MNT_ID_UNIQUE) != 0
                        ? statx.get(ValueLayout.JAVA_LONG, 144)
                        : 0);
    }

    /// Whether it is a file with bytes of its own: S_ISREG.
    public boolean isRegularFile() {
        return (mode & TYPE_MASK) == REGULAR;
    }

    /// Whether it is a folder: S_ISDIR.
    public boolean isDirectory() {
        return (mode & TYPE_MASK) == DIRECTORY;
    }

    /// Whether it is a disk, a partition or a loop device: S_ISBLK.
    public boolean isBlockDevice() {
        return (mode & TYPE_MASK) == BLOCK_DEVICE;
    }

    /// Whether it is the name of a UNIX socket: S_ISSOCK.
    public boolean isSocket() {
        return (mode & TYPE_MASK) == SOCKET;
    }
}
