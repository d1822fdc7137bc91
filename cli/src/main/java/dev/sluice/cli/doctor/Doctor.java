package dev.sluice.cli.doctor;

import dev.sluice.io.linux.Kernel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Looks at a machine. It asks by trying: what a kernel says that it has, a sandbox may refuse all the same. On each
/// path that it may write to it makes a file of a few bytes for the time of looking.
public final class Doctor {
    private Doctor() {}

    /// @param paths folders or files whose file systems are looked at
    public static List<Finding> examine(Kernel kernel, List<Path> paths) {
        List<Finding> findings = new ArrayList<>(KernelFindings.of(kernel, Path.of("/proc")));
        findings.addAll(LimitFindings.of(kernel, Path.of("/proc")));
        findings.addAll(NetworkFindings.of(kernel, Path.of("/sys/class/net")));
        for (Path path : paths) {
            findings.addAll(PathFindings.of(kernel, path));
        }
        return findings;
    }
}
