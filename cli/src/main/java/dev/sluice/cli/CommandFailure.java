package dev.sluice.cli;

import java.io.Serial;

/// A command can't do what it was asked, and says so in one line that names what to do next.
///
/// The line is all that the user sees; the cause is shown with `-v` alone.
final class CommandFailure extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int exitCode;
    private final String line;

    private CommandFailure(int exitCode, String line, Throwable cause) {
        super(line, cause);
        this.exitCode = exitCode;
        this.line = line;
    }

    private CommandFailure(int exitCode, String line) {
        super(line);
        this.exitCode = exitCode;
        this.line = line;
    }

    /// What was asked is right, and could not be done.
    static CommandFailure failed(String line) {
        return new CommandFailure(ExitCode.FAILURE, line);
    }

    static CommandFailure failed(String line, Throwable cause) {
        return new CommandFailure(ExitCode.FAILURE, line, cause);
    }

    /// What was asked makes no sense; nothing was done.
    static CommandFailure usage(String line) {
        return new CommandFailure(ExitCode.USAGE, line);
    }

    static CommandFailure usage(String line, Throwable cause) {
        return new CommandFailure(ExitCode.USAGE, line, cause);
    }

    /// A signal ended it before it was done.
    ///
    /// @param exitCode what shells show for that signal
    static CommandFailure stopped(int exitCode, String line, Throwable cause) {
        return new CommandFailure(exitCode, line, cause);
    }

    int exitCode() {
        return exitCode;
    }

    /// The message: what is shown.
    String line() {
        return line;
    }
}
