package dev.sluice.bench.broker;

import java.util.HashMap;
import java.util.Map;

/// One run of one subject.
///
/// @param serverCpuNs  user and system time of the server's process
/// @param machineCpuNs of all processors, less the client's own; in steps of 10 ms
/// @param deviceBytes  that the server's process has had read from devices
/// @param faults       of that process, those that waited for no disk
/// @param line         what the load or the limit program printed
record Run(long serverCpuNs, long machineCpuNs, long deviceBytes, long faults, Figures line) {
    private static final double GIB = 1L << 30;

    double field(String name) {
        return line.get(name);
    }

    /// The same with figures added to what was printed.
    Run with(Map<String, Double> more) {
        Map<String, Double> all = new HashMap<>(line.values());
        all.putAll(more);
        return new Run(serverCpuNs, machineCpuNs, deviceBytes, faults, new Figures(Map.copyOf(all)));
    }

    /// CPU seconds of the server per GiB, or microseconds a request.
    double cost(Work.Unit unit) {
        return unit == Work.Unit.GIB
                ? serverCpuNs / 1e9 / (field("payloadBytes") / GIB)
                : serverCpuNs / 1e3 / field("requests");
    }

    /// The same for the whole machine, write-back included.
    double machineCost(Work.Unit unit) {
        return unit == Work.Unit.GIB
                ? machineCpuNs / 1e9 / (field("payloadBytes") / GIB)
                : machineCpuNs / 1e3 / field("requests");
    }

    /// Bytes read from devices for each byte of the topic, when so many consumers have read all of it.
    double deviceReads(long consumers) {
        return deviceBytes * consumers / field("payloadBytes");
    }

    /// MiB/s, or requests a second.
    double rate(Work.Unit unit) {
        double moved = unit == Work.Unit.GIB ? field("payloadBytes") / (1 << 20) : field("requests");
        return moved / field("seconds");
    }

    double faultsPerGib() {
        return faults / (field("payloadBytes") / GIB);
    }
}
