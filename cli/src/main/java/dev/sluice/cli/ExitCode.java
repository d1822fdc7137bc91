package dev.sluice.cli;

/// What the process tells the script that started it.
final class ExitCode {
    /// The command did what it was asked.
    static final int OK = 0;
    /// It could not: no broker, a record refused, a full disk. Standard error has one line that says why.
    static final int FAILURE = 1;
    /// It was asked wrongly: an unknown option, a bad value, a bad configuration key. Nothing was done.
    static final int USAGE = 2;

    private static final int SIGNAL_BASE = 128;

    private ExitCode() {}

    /// What shells show for a process that a signal ended: 130 after Ctrl-C, 143 after SIGTERM.
    static int ofSignal(int signalNumber) {
        return SIGNAL_BASE + signalNumber;
    }
}
