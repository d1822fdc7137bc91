package dev.sluice.cli;

import org.slf4j.LoggerFactory;

/// Has the log set up once, as the build's JVM options say (only what is wrong): the commands under test set the same
/// options to what users want, which would fill the build's output.
final class TestLogs {
    private TestLogs() {}

    static void start() {
        LoggerFactory.getILoggerFactory();
    }
}
