package dev.sluice.broker;

import java.io.Serial;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/// What is logged in tests: nothing is printed, and errors are kept for whoever looks for them. Named to slf4j by
/// `-Dslf4j.provider`.
public final class ErrorWatch implements SLF4JServiceProvider {
    /// Of the whole process, and the first of each flood only.
    private static final Queue<AssertionError> ERRORS = new ConcurrentLinkedQueue<>();

    private static final int MOST = 100;

    private static final class Errors extends LegacyAbstractLogger {
        @Serial
        private static final long serialVersionUID = 1L;

        private Errors(String loggerName) {
            name = loggerName;
        }

        @Override
        public boolean isTraceEnabled() {
            return false;
        }

        @Override
        public boolean isDebugEnabled() {
            return false;
        }

        @Override
        public boolean isInfoEnabled() {
            return false;
        }

        @Override
        public boolean isWarnEnabled() {
            return false;
        }

        @Override
        public boolean isErrorEnabled() {
            return true;
        }

        @Override
        protected @Nullable String getFullyQualifiedCallerName() {
            return null;
        }

        @Override
        protected void handleNormalizedLoggingCall(
                Level level,
                @Nullable Marker marker,
                String message,
                Object @Nullable [] arguments,
                @Nullable Throwable cause) {
            if (ERRORS.size() < MOST) {
                String said = name + ": " + MessageFormatter.basicArrayFormat(message, arguments);
                ERRORS.add(new AssertionError(said, cause));
            }
        }
    }

    /// Forgets what there was until now.
    static void forget() {
        ERRORS.clear();
    }

    /// @throws AssertionError the first error that was logged since
    static void requireNone() {
        AssertionError first = ERRORS.poll();
        if (first != null) {
            forget();
            throw first;
        }
    }

    // ---- For slf4j

    @Override
    public ILoggerFactory getLoggerFactory() {
        return Errors::new;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return new BasicMarkerFactory();
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return new NOPMDCAdapter();
    }

    @Override
    public String getRequestedApiVersion() {
        return "2.0.99";
    }

    @Override
    public void initialize() {}
}
