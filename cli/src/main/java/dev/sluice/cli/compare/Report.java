package dev.sluice.cli.compare;

import java.util.List;
import java.util.Map;

/// A whole comparison.
///
/// @param setting what must be known to judge the figures, by name, in order: path, kernel, file system, memory
/// @param plans   what the planner says of each direction, in one line
/// @param states  those that the way to the other side was put into; one without a name where there is but one
/// @param rows    by direction, way and size
public record Report(Map<String, String> setting, Map<Direction, String> plans, List<String> states, List<Row> rows) {
    /// What the words behind the figures mean, a line each.
    public static final List<String> MARKS = List.of(
            "measured: GB/s until the receiver had everything; CPU s/GiB, context switches and page faults of this whole process (getrusage; major: those that waited for the device), interrupts and softirqs of the whole machine, median of"
                    + " interleaved runs, least to most beside it; the other side's CPU s/GiB, with summing what it received",
            "counted: calls of sluice's ways, one by one where they are made, refused and waiting ones too",
            "derived (~): calls of the JDK's and Netty's ways, from invocations counted and what strace showed of each; mode switches, two a call;"
                    + " CPU and DMA copies of each byte on this side, write-back included, from what the kernel is known to do");
}
