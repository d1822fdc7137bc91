package dev.sluice.io.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// What a thread or the process has used: getrusage(2).
public final class Resources {
    /// What [#blocksRead] counts in.
    public static final int BLOCK_BYTES = 512;

    private static final int RUSAGE_SELF = 0;
    private static final int RUSAGE_THREAD = 1;

    /// struct rusage: timeval user, system; long maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock,
    /// oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw. Here the indexes of its 8-byte words.
    private static final int WORDS = 18;

    private static final int MINOR_FAULTS = 8;
    private static final int MAJOR_FAULTS = 9;
    private static final int BLOCKS_READ = 11;
    private static final int VOLUNTARY_SWITCHES = 16;
    private static final int INVOLUNTARY_SWITCHES = 17;

    private static final MethodHandle GETRUSAGE =
            Native.function("getrusage", FunctionDescriptor.of(Native.C_INT, Native.C_INT, Native.C_POINTER));

    private final Kernel kernel;

    Resources(Kernel kernel) {
        this.kernel = kernel;
    }

    /// Totals since the thread or process began.
    ///
    /// The sum of the two times is exact; how it splits into user and system may rest on the timer's samples, so
    /// trust the split over seconds, not over milliseconds (getrusage(2), `cputime_adjust` of
    /// kernel/sched/cputime.c).
    ///
    /// @param userNs              processor time in user mode
    /// @param systemNs            processor time in the kernel
    /// @param minorFaults         page faults served without I/O
    /// @param majorFaults         page faults that waited for I/O
    /// @param voluntarySwitches   context switches because it waited
    /// @param involuntarySwitches context switches because its time was up
    public record Totals(
            long userNs,
            long systemNs,
            long minorFaults,
            long majorFaults,
            long voluntarySwitches,
            long involuntarySwitches) {}

    /// Of the calling thread. A virtual thread gets its carrier's.
    ///
    /// For a thread alone the kernel answers with the time as of its last timer tick, up to 10 ms ago. Asked for
    /// all threads it first brings that of the calling one up to date (`thread_group_cputime` of
    /// kernel/sched/cputime.c), so both are asked.
    public Totals ofThread() throws ErrnoException {
        of(RUSAGE_SELF, "this process");
        return of(RUSAGE_THREAD, "this thread");
    }

    /// Of all threads of the process together.
    public Totals ofProcess() throws ErrnoException {
        return of(RUSAGE_SELF, "this process");
    }

    /// Where [#blocksRead] has the kernel write to.
    public static MemorySegment scratch(Arena arena) {
        return arena.allocate(ValueLayout.JAVA_LONG, WORDS);
    }

    /// Blocks of 512 bytes that the calling thread has had read from devices, what it had read ahead included; what
    /// the page cache gave it is not among them. Always the same number on a kernel without
    /// CONFIG_TASK_IO_ACCOUNTING, and on file systems that are on no device.
    ///
    /// @param scratch from [#scratch]
    /// @return −errno when the kernel does not tell
    public long blocksRead(MemorySegment scratch) {
        long result = ask(RUSAGE_THREAD, "this thread", scratch);
        return result < 0 ? result : scratch.getAtIndex(ValueLayout.JAVA_LONG, BLOCKS_READ);
    }

    private long ask(int who, String subject, MemorySegment usage) {
        long result = kernel.admit(Call.GETRUSAGE, subject);
        try {
            if (result >= 0) {
                MemorySegment captured = Native.capture();
                result = Native.orErrno((int) GETRUSAGE.invokeExact(captured, who, usage), captured);
            }
        } catch (Throwable t) {
            throw Native.unexpected(t);
        }
        return kernel.record(kernel.account(), Call.GETRUSAGE, result, false);
    }

    private Totals of(int who, String subject) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment usage = scratch(arena);
            ErrnoException.check(ask(who, subject, usage), Call.GETRUSAGE, subject);
            return new Totals(
                    nanos(usage, 0),
                    nanos(usage, 2),
                    usage.getAtIndex(ValueLayout.JAVA_LONG, MINOR_FAULTS),
                    usage.getAtIndex(ValueLayout.JAVA_LONG, MAJOR_FAULTS),
                    usage.getAtIndex(ValueLayout.JAVA_LONG, VOLUNTARY_SWITCHES),
                    usage.getAtIndex(ValueLayout.JAVA_LONG, INVOLUNTARY_SWITCHES));
        }
    }

    private static long nanos(MemorySegment usage, int word) {
        return usage.getAtIndex(ValueLayout.JAVA_LONG, word) * 1_000_000_000
                + usage.getAtIndex(ValueLayout.JAVA_LONG, word + 1) * 1_000;
    }
}
