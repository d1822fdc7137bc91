package dev.sluice.cli.doctor;

import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Limits;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/// What a process may have of descriptors, maps, locked memory and pipes, and how leases are set.
final class LimitFindings {
    private static final long DESCRIPTORS_WANTED = 65_536;
    private static final long MAPS_WANTED = 65_530;
    private static final long LOCKED_WANTED_BYTES = 64L << 20;
    private static final long PIPE_WANTED_BYTES = 1L << 20;
    private static final long PIPE_PAGES_WANTED = 16_384;

    private LimitFindings() {}

    static List<Finding> of(Kernel kernel, Path proc) {
        Path sys = proc.resolve("sys");
        return List.of(
                limit(
                        "descriptors (ulimit -n)",
                        kernel.limits().current(Limits.RLIMIT_NOFILE),
                        DESCRIPTORS_WANTED,
                        "raise it to 65536 (LimitNOFILE= of systemd): a connection takes one, an open partition three"),
                limit(
                        "locked memory (ulimit -l)",
                        kernel.limits().current(Limits.RLIMIT_MEMLOCK),
                        LOCKED_WANTED_BYTES,
                        "raise it to 64 MiB (LimitMEMLOCK=), or pinned buffers of direct I/O and MSG_ZEROCOPY are refused"
                                + " (CAP_IPC_LOCK is exempt)"),
                setting(
                        "memory maps",
                        sys.resolve("vm/max_map_count"),
                        MAPS_WANTED,
                        "sysctl vm.max_map_count=65530 or more: each open index takes one"),
                setting(
                        "pipe size",
                        sys.resolve("fs/pipe-max-size"),
                        PIPE_WANTED_BYTES,
                        "sysctl fs.pipe-max-size=1048576: splice moves at most a pipe's worth a call"),
                setting(
                        "pipe pages a user",
                        sys.resolve("fs/pipe-user-pages-soft"),
                        PIPE_PAGES_WANTED,
                        "sysctl fs.pipe-user-pages-soft=16384: beyond it pipes of users other than root have two pages"),
                setting(
                        "accept backlog",
                        sys.resolve("net/core/somaxconn"),
                        1024,
                        "sysctl net.core.somaxconn=4096: connections beyond it are refused when many come at once"),
                leases(
                        ProcFile.number(sys.resolve("fs/leases-enable")),
                        ProcFile.number(sys.resolve("fs/lease-break-time"))));
    }

    static Finding limit(String what, long value, long wanted, String todo) {
        if (value < 0) {
            return Finding.unknown(what, Errno.describe((int) -value), todo);
        }
        return graded(what, value, wanted, todo);
    }

    static Finding setting(String what, Path file, long wanted, String todo) {
        OptionalLong value = ProcFile.number(file);
        return value.isEmpty()
                ? Finding.unknown(what, "no " + file, todo)
                : graded(what, value.getAsLong(), wanted, todo);
    }

    private static Finding graded(String what, long value, long wanted, String todo) {
        String found = value == Long.MAX_VALUE ? "no limit" : String.format(Locale.ROOT, "%,d", value);
        // For pipe pages 0 means that there is no limit.
        boolean enough = value >= wanted || (value == 0 && what.startsWith("pipe pages"));
        return enough ? Finding.good(what, found, "enough") : Finding.change(what, found, todo);
    }

    static Finding leases(OptionalLong enabled, OptionalLong breakSeconds) {
        if (enabled.orElse(1) == 0) {
            return Finding.change("file leases", "off", "sysctl fs.leases-enable=1, or guarded maps can't be had");
        }
        return breakSeconds.isEmpty()
                ? Finding.unknown("file leases", "not told", "guarded maps may be refused")
                : Finding.good(
                        "file leases",
                        "on, broken after " + breakSeconds.getAsLong() + " s",
                        "how long a guarded map can hold a truncation up (fs.lease-break-time)");
    }
}
