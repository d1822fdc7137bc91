package dev.sluice.cli;

/// Delivers the requests to stop that a process gets: Ctrl-C (SIGINT), SIGTERM, SIGHUP.
///
/// ```
///   running ──INT, TERM, HUP──▶ stopping ──the command returns──▶ ended, with the command's exit code
///                                  └──INT or TERM again──▶ ended at once, exit code 130 or 143
/// ```
@FunctionalInterface
interface Signals {
    /// From now on the first request to stop runs `request`; a second one ends the process at once.
    void onStop(StopRequest request);

    /// What to do at the first request to stop. Runs on the thread that delivers signals, and must not wait for
    /// long.
    @FunctionalInterface
    interface StopRequest {
        /// @param exitCode what shells show for a process that this signal ended
        /// @return true if the command now ends by itself; false to end the process with `exitCode`
        boolean stop(int exitCode);
    }
}
