package dev.sluice.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// One command of `sluice`: what it accepts, and what it does.
///
/// [#spec] is called for every help page and must load nothing beyond the JDK and picocli: neither a client nor the
/// broker. Classes that [#run] uses are loaded when it runs, so a broker starts without any client class.
interface Command {
    /// Describes the options, their help and one example. The user object of the result is this command.
    CommandSpec spec();

    /// Does the work on the calling thread, and returns when it is done.
    ///
    /// @return one of [ExitCode]
    /// @throws CommandFailure with the one line to show
    /// @throws Exception whatever nobody foresaw: shown as a defect, with its stack
    int run(ParseResult parsed, Surroundings surroundings) throws Exception;
}
