package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// struct io_uring_params of linux/io_uring.h: what is asked of io_uring_setup(2), and what it answers.
///
/// ```
///  0 u32 sq_entries   4 u32 cq_entries   8 u32 flags   12 u32 sq_thread_cpu   16 u32 sq_thread_idle
/// 20 u32 features    24 u32 wq_fd       28 u32 resv[3]
/// 40 sq_off { head, tail, ring_mask, ring_entries, flags, dropped, array, resv: u32 each; u64 user_addr }
/// 80 cq_off { head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv: u32 each; u64 user_addr }   … 120
/// ```
///
/// The members of sq_off and cq_off are byte positions in the mapped ring.
final class RingParameters {
    static final int SETUP_IOPOLL = 1;
    static final int SETUP_CLAMP = 1 << 4;
    static final int SETUP_R_DISABLED = 1 << 6;
    static final int SETUP_SUBMIT_ALL = 1 << 7;
    static final int SETUP_COOP_TASKRUN = 1 << 8;
    static final int SETUP_TASKRUN_FLAG = 1 << 9;
    static final int SETUP_SINGLE_ISSUER = 1 << 12;
    static final int SETUP_DEFER_TASKRUN = 1 << 13;

    /// Both rings lie in one map (Linux 5.4).
    static final int FEAT_SINGLE_MMAP = 1;
    /// No completion is ever lost (Linux 5.5).
    static final int FEAT_NODROP = 1 << 1;
    /// io_uring_enter takes a time to wait (Linux 5.11).
    static final int FEAT_EXT_ARG = 1 << 8;

    private static final long BYTES = 120;

    private final MemorySegment struct;

    RingParameters(Arena arena, int flags) {
        struct = arena.allocate(BYTES, 8);
        struct.set(ValueLayout.JAVA_INT, 8, flags);
    }

    MemorySegment struct() {
        return struct;
    }

    int sqEntries() {
        return at(0);
    }

    int cqEntries() {
        return at(4);
    }

    boolean has(int feature) {
        return (at(20) & feature) == feature;
    }

    int sqHeadAt() {
        return at(40);
    }

    int sqTailAt() {
        return at(44);
    }

    int sqFlagsAt() {
        return at(56);
    }

    int sqArrayAt() {
        return at(64);
    }

    int cqHeadAt() {
        return at(80);
    }

    int cqTailAt() {
        return at(84);
    }

    int cqesAt() {
        return at(100);
    }

    private int at(long position) {
        return struct.get(ValueLayout.JAVA_INT, position);
    }
}
