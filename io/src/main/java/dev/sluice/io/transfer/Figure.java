package dev.sluice.io.transfer;

/// One number of an account, and how it came to be known. What is counted, measured and derived are different types, so
/// that they can't be mixed up in what is shown.
public sealed interface Figure {
    /// What it is the number of: `copies by the processor`.
    String name();

    /// In [#unit]; exact up to 2⁵³.
    double number();

    /// `bytes`, `calls`, `ns`, `copies/byte`…
    String unit();

    /// One word for a table: counted, measured or derived.
    String mark();

    /// Where the number comes from, in one line.
    String source();

    /// Exact: counted by us, call by call, where the calls are made.
    record Counted(String name, long value, String unit) implements Figure {
        @Override
        public double number() {
            return value;
        }

        @Override
        public String mark() {
            return "counted";
        }

        @Override
        public String source() {
            return "counted at the native calls";
        }
    }

    /// Read from an instrument that may see more than the transfer.
    ///
    /// @param scope  whose activity the instrument sees
    /// @param source the instrument: `getrusage(RUSAGE_THREAD)`, `/proc/interrupts`
    record Measured(String name, long value, String unit, Scope scope, String source) implements Figure {
        /// Whose activity an instrument sees.
        public enum Scope {
            THREAD,
            PROCESS,
            MACHINE
        }

        @Override
        public double number() {
            return value;
        }

        @Override
        public String mark() {
            return "measured";
        }
    }

    /// Follows from what the kernel is known to do, not from looking at this run.
    ///
    /// @param source the rule and what it was assumed on
    record Derived(String name, double value, String unit, String source) implements Figure {
        @Override
        public double number() {
            return value;
        }

        @Override
        public String mark() {
            return "derived";
        }
    }
}
