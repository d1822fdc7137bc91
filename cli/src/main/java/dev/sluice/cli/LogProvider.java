package dev.sluice.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/// Logback behind SLF4J, set up by code: [LogLines] at the levels of [LogLevel].
///
/// SLF4J makes one, because [LogLevel] names this class in a system property before the first logger is asked for.
/// Found by service files instead, and configured by a pattern, logback loads 570 classes and takes a third of a second
/// of a broker's start: every jar is searched twice, an annotation is read by reflection, a pattern compiled. This
/// takes a tenth of that.
public final class LogProvider implements SLF4JServiceProvider {
    /// The newest version of SLF4J that this works with, in SLF4J's own notation for all of 2.0.
    private static final String SLF4J_VERSION = "2.0.99";

    private final LoggerContext context = new LoggerContext();
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter mdc = new LogbackMDCAdapter();

    /// For SLF4J.
    public LogProvider() {}

    @Override
    public void initialize() {
        context.setMDCAdapter(mdc);
        LogLines lines = new LogLines(System.err);
        lines.setContext(context);
        lines.start();
        Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.toLevel(System.getProperty(LogLevel.OTHERS_PROPERTY), Level.WARN));
        root.addAppender(lines);
        context.getLogger("dev.sluice").setLevel(Level.toLevel(System.getProperty(LogLevel.OWN_PROPERTY), Level.INFO));
        context.start();
    }

    @Override
    public ILoggerFactory getLoggerFactory() {
        return context;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return mdc;
    }

    @Override
    public String getRequestedApiVersion() {
        return SLF4J_VERSION;
    }
}
