package dev.sluice.cli;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.Reporter;

/// How much is logged to standard error, decided before the first logger is made.
///
/// The levels travel to [LogProvider] as system properties, because SLF4J makes that object itself.
final class LogLevel {
    /// The level of Sluice's own loggers.
    static final String OWN_PROPERTY = "sluice.log.level";
    /// The level of everybody else's, Kafka's clients first of all.
    static final String OTHERS_PROPERTY = "sluice.log.level.others";
    /// Sets both, whatever the command.
    static final String ENVIRONMENT_KEY = "SLUICE_LOG";

    private static final Set<String> LEVELS = Set.of("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF");

    private LogLevel() {}

    /// A client command reports its own failures in one line; a page of its client's warnings would hide that line.
    static void forClients(Map<String, String> environment, boolean verbose) throws CommandFailure {
        String level = environment.getOrDefault(ENVIRONMENT_KEY, "");
        if (level.isBlank()) {
            set(verbose ? "WARN" : "ERROR", verbose ? "WARN" : "ERROR");
        } else {
            set(parse(ENVIRONMENT_KEY, level), parse(ENVIRONMENT_KEY, level));
        }
    }

    /// A broker logs what its operator may want to know later.
    ///
    /// @param configured the value of `sluice.log.level`, or blank
    static void forBroker(Map<String, String> environment, String configured, boolean verbose) throws CommandFailure {
        String level = environment.getOrDefault(ENVIRONMENT_KEY, "");
        if (!configured.isBlank()) {
            set(parse(OWN_PROPERTY, configured), "WARN");
        } else if (verbose) {
            set("DEBUG", "INFO");
        } else if (!level.isBlank()) {
            set(parse(ENVIRONMENT_KEY, level), parse(ENVIRONMENT_KEY, level));
        } else {
            set("INFO", "WARN");
        }
    }

    private static String parse(String source, String level) throws CommandFailure {
        String upper = level.strip().toUpperCase(Locale.ROOT);
        if (!LEVELS.contains(upper)) {
            throw CommandFailure.usage(
                    source + "=" + level + " is not a log level; write trace, debug, info, warn, error or off");
        }
        return upper;
    }

    private static void set(String own, String others) {
        System.setProperty(OWN_PROPERTY, own);
        System.setProperty(OTHERS_PROPERTY, others);
        System.setProperty(LoggerFactory.PROVIDER_PROPERTY_KEY, LogProvider.class.getName());
        // Or SLF4J tells on standard error that it does as it was told.
        System.setProperty(Reporter.SLF4J_INTERNAL_VERBOSITY_KEY, "WARN");
    }
}
