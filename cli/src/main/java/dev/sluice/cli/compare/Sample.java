package dev.sluice.cli.compare;

import dev.sluice.io.transfer.Usage;
import java.util.Map;

/// One measured move.
///
/// @param lengthBytes bytes moved
/// @param elapsedNs   from the first call until the receiver had everything
/// @param usage       of this process, until it had handed over the last byte
/// @param peerCpuNs   the other side's processor time, checking included; −1 where there is no other side
/// @param cost        what the way says of itself
record Sample(long lengthBytes, long elapsedNs, Usage usage, long peerCpuNs, Cost cost) {
    private static final double GIB = 1 << 30;
    private static final double MIB = 1 << 20;

    double gigabytesPerSecond() {
        return (double) lengthBytes / elapsedNs;
    }

    double cpuSecondsPerGib() {
        return userSecondsPerGib() + systemSecondsPerGib();
    }

    double userSecondsPerGib() {
        return usage.resources().userNs() / 1e9 * GIB / lengthBytes;
    }

    double systemSecondsPerGib() {
        return usage.resources().systemNs() / 1e9 * GIB / lengthBytes;
    }

    double peerCpuSecondsPerGib() {
        return peerCpuNs / 1e9 * GIB / lengthBytes;
    }

    double deviceReadPerByte() {
        return Math.max(0, usage.deviceReadBytes()) / (double) lengthBytes;
    }

    double perMib(double number) {
        return number * MIB / lengthBytes;
    }

    double faultsPerMib() {
        return perMib(
                (double) (usage.resources().minorFaults() + usage.resources().majorFaults()));
    }

    double majorFaultsPerMib() {
        return perMib((double) usage.resources().majorFaults());
    }

    double interruptsPerMib() {
        return perMib(sum(usage.interrupts()));
    }

    double softirqsPerMib() {
        return perMib(sum(usage.softirqs()));
    }

    private static double sum(Map<String, Long> counters) {
        return counters.values().stream().mapToLong(Long::longValue).sum();
    }

    double contextSwitchesPerMib() {
        return perMib((double)
                (usage.resources().voluntarySwitches() + usage.resources().involuntarySwitches()));
    }
}
