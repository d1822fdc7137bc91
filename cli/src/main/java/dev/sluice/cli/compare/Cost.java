package dev.sluice.cli.compare;

import dev.sluice.io.transfer.Figure;
import dev.sluice.io.transfer.Figure.Derived;

/// What a way says of its own move; what the kernel's counters say is in the [Meter].
///
/// @param calls     system calls: counted where we make them, derived where the JDK does
/// @param switches  from user to kernel mode and back
/// @param cpuCopies of each byte, by the processor
/// @param dmaCopies of each byte, by devices
/// @param remark    what went otherwise than the name says; empty if nothing did
public record Cost(Figure calls, Derived switches, Derived cpuCopies, Derived dmaCopies, String remark) {}
