package dev.sluice.bench.direct;

/// What one run of a workload cost.
///
/// @param seconds        wall time of the transfer
/// @param processSeconds CPU time of the process, user and system
/// @param machineSeconds CPU time of the whole machine meanwhile, interrupts and kernel threads included
record Run(Workload workload, double seconds, double processSeconds, double machineSeconds) {
    private static final double GIB = 1 << 30;

    double mibPerSecond() {
        return workload.totalBytes() / (1024.0 * 1024.0) / seconds;
    }

    double operationsPerSecond() {
        return workload.operations() / seconds;
    }

    double processSecondsPerGib() {
        return processSeconds / (workload.totalBytes() / GIB);
    }

    double machineSecondsPerGib() {
        return machineSeconds / (workload.totalBytes() / GIB);
    }
}
