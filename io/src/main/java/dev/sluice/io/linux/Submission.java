package dev.sluice.io.linux;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// One struct io_uring_sqe of linux/io_uring.h, as a view that [Ring#next] and [Ring#staged] move over the entries.
///
/// ```
///  0 u8 opcode   1 u8 flags   2 u16 ioprio   4 i32 fd (or its slot in the table of registered files)
///  8 u64 position            16 u64 address
/// 24 u32 length              28 u32 rw_flags, fsync_flags, cancel_flags
/// 32 u64 user_data           40 u16 buf_index   42 u16 personality   44 i32 …   48 u64 …   56 u64 …   64
/// ```
///
/// Owned by the thread that owns the ring, and good until that thread moves it on. The memory that is named in an entry
/// belongs to the kernel from the entry's submission until its completion.
public final class Submission {
    // Operations: enum io_uring_op of linux/io_uring.h.
    public static final int NOP = 0;
    public static final int FSYNC = 3;
    public static final int READ_FIXED = 4;
    public static final int WRITE_FIXED = 5;
    public static final int ASYNC_CANCEL = 14;
    public static final int READ = 22;
    public static final int WRITE = 23;
    /// Linux 6.15; asked for, not used: it wants a queue of a card to itself.
    public static final int RECV_ZC = 58;

    /// The content, and what metadata is needed to find it: fsync_flags, IORING_FSYNC_DATASYNC.
    public static final int FSYNC_DATASYNC = 1;

    private static final byte IOSQE_FIXED_FILE = 1;
    private static final byte IOSQE_IO_LINK = 1 << 2;

    static final long BYTES = 64;

    private final MemorySegment entries;
    private long at;

    Submission(MemorySegment entries) {
        this.entries = entries;
    }

    Submission moveTo(int index) {
        at = index * BYTES;
        return this;
    }

    /// Begins an operation that touches neither file nor memory; what is not set below is zero.
    public Submission begin(int operation, long userData) {
        for (int i = 0; i < BYTES; i += Long.BYTES) {
            entries.set(ValueLayout.JAVA_LONG, at + i, 0);
        }
        entries.set(ValueLayout.JAVA_BYTE, at, (byte) operation);
        entries.set(ValueLayout.JAVA_INT, at + 4, -1);
        entries.set(ValueLayout.JAVA_LONG, at + 32, userData);
        return this;
    }

    /// The file by its descriptor.
    public Submission file(Descriptor file) {
        entries.set(ValueLayout.JAVA_INT, at + 4, file.number());
        return this;
    }

    /// The file by its slot in the ring's table.
    public Submission registeredFile(int slot) {
        entries.set(ValueLayout.JAVA_INT, at + 4, slot);
        setFlag(IOSQE_FIXED_FILE, true);
        return this;
    }

    /// The memory and the place in the file that bytes move between.
    ///
    /// @param lengthBytes of `memory`, from its start, or fewer
    public Submission transfer(MemorySegment memory, int lengthBytes, long position, int rwFlags) {
        assert lengthBytes <= memory.byteSize();
        entries.set(ValueLayout.JAVA_LONG, at + 8, position);
        entries.set(ValueLayout.ADDRESS, at + 16, memory);
        entries.set(ValueLayout.JAVA_INT, at + 24, lengthBytes);
        entries.set(ValueLayout.JAVA_INT, at + 28, rwFlags);
        return this;
    }

    /// Which registered buffer the memory of a READ_FIXED or WRITE_FIXED lies in.
    public Submission registeredBuffer(int index) {
        entries.set(ValueLayout.JAVA_SHORT, at + 40, (short) index);
        return this;
    }

    /// Flags of an FSYNC.
    public Submission syncFlags(int flags) {
        entries.set(ValueLayout.JAVA_INT, at + 28, flags);
        return this;
    }

    /// What an ASYNC_CANCEL is to find: the user data of an operation in flight.
    public Submission target(long userData) {
        entries.set(ValueLayout.JAVA_LONG, at + 16, userData);
        return this;
    }

    /// The next entry starts when this one has succeeded in full, and is cancelled otherwise.
    public Submission linked(boolean linked) {
        setFlag(IOSQE_IO_LINK, linked);
        return this;
    }

    /// What [#linked] was told.
    public boolean isLinked() {
        return (entries.get(ValueLayout.JAVA_BYTE, at + 1) & IOSQE_IO_LINK) != 0;
    }

    /// What comes back with its completion.
    public long userData() {
        return entries.get(ValueLayout.JAVA_LONG, at + 32);
    }

    private void setFlag(byte flag, boolean set) {
        byte flags = entries.get(ValueLayout.JAVA_BYTE, at + 1);
        entries.set(ValueLayout.JAVA_BYTE, at + 1, (byte) (set ? flags | flag : flags & ~flag));
    }
}
