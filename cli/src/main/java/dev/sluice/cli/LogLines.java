package dev.sluice.cli;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.io.PrintStream;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/// Writes each event as a line, and a stack below it if it has one:
///
/// ```
///   2026-01-31T12:00:00.123 WARN  Connection: Closed 127.0.0.1:5: the frame is too large
/// ```
///
/// Called by any thread; logback lets one in at a time.
final class LogLines extends AppenderBase<ILoggingEvent> {
    private final PrintStream out;

    LogLines(PrintStream out) {
        this.out = out;
    }

    @Override
    protected void append(ILoggingEvent event) {
        StringBuilder text = new StringBuilder(Times.FORMAT.format(event.getInstant()));
        String level = event.getLevel().toString();
        text.append(' ').append(level);
        text.repeat(' ', Math.max(1, 6 - level.length()));
        String logger = event.getLoggerName();
        text.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
        text.append(event.getFormattedMessage()).append('\n');
        IThrowableProxy thrown = event.getThrowableProxy();
        if (thrown != null) {
            text.append(ThrowableProxyUtil.asString(thrown));
        }
        // One call, so that lines of other writers don't come between.
        out.print(text);
        out.flush();
    }

    /// Loaded with the first line: most commands write none.
    private static final class Times {
        private static final DateTimeFormatter FORMAT = DateTimeFormatter.ofPattern(
                        "yyyy-MM-dd'T'HH:mm:ss.SSS", Locale.ROOT)
                .withZone(ZoneId.systemDefault());
    }
}
