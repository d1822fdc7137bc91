package dev.sluice.cli;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/// Which broker a command talks to, and how: the options that every client command has.
///
/// @param bootstrap  where to ask first; never empty
/// @param timeout    how long to wait for an answer before saying that there is no broker
/// @param properties settings of Kafka's client that the user gave; they win over ours
record ClientOptions(List<HostPort> bootstrap, Duration timeout, Map<String, String> properties) {
    private static final String DEFAULT_BOOTSTRAP = "127.0.0.1:9092";
    private static final String ENVIRONMENT_KEY = "SLUICE_BOOTSTRAP";
    private static final double DEFAULT_TIMEOUT_SECONDS = 5;
    private static final double MAX_TIMEOUT_SECONDS = 86_400;

    static void addTo(CommandSpec spec) {
        spec.addOption(OptionSpec.builder("-b", "--bootstrap")
                .paramLabel("HOST:PORT")
                .type(String.class)
                .description("The broker to talk to; several with commas. Default: $" + ENVIRONMENT_KEY + ", else "
                        + DEFAULT_BOOTSTRAP + ".")
                .build());
        spec.addOption(OptionSpec.builder("--timeout")
                .paramLabel("SECONDS")
                .type(Double.class)
                .description("How long to wait for the broker to answer. Default: 5.")
                .build());
        spec.addOption(Specs.repeated(
                "--property", "KEY=VALUE", "A setting of Kafka's Java client, passed on as it is. May be repeated."));
        spec.addOption(Specs.flag("-v, --verbose", "Show the client's warnings, and the stack of a failure."));
    }

    static boolean isVerbose(ParseResult parsed) {
        return parsed.matchedOptionValue("-v", false);
    }

    /// Reads the options, and sets the level of the log before any client class can ask for a logger.
    ///
    /// @param client whose settings `--property` may name
    static ClientOptions from(ParseResult parsed, Map<String, String> environment, KafkaClient client)
            throws CommandFailure {
        LogLevel.forClients(environment, isVerbose(parsed));
        String environmentBootstrap = environment.getOrDefault(ENVIRONMENT_KEY, "");
        String fallback = environmentBootstrap.isBlank() ? DEFAULT_BOOTSTRAP : environmentBootstrap;
        List<HostPort> bootstrap = HostPort.parseList(parsed.matchedOptionValue("--bootstrap", fallback));
        double seconds = parsed.matchedOptionValue("--timeout", DEFAULT_TIMEOUT_SECONDS);
        if (!(seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS)) {
            throw CommandFailure.usage("--timeout must be more than 0 and at most " + (int) MAX_TIMEOUT_SECONDS
                    + " seconds, not " + seconds);
        }
        Map<String, String> properties =
                KeyValue.parseAll("--property", parsed.matchedOptionValue("--property", List.<String>of()));
        client.check(properties);
        return new ClientOptions(bootstrap, Duration.ofMillis((long) Math.ceil(seconds * 1000)), properties);
    }

    /// Whether the broker is reached over plain TCP, without TLS or SASL, by what the user set.
    boolean isPlaintext() {
        return properties.getOrDefault("security.protocol", "PLAINTEXT").equals("PLAINTEXT");
    }

    /// What goes into every Kafka client: `own`, then the user's properties over it.
    Map<String, Object> clientProperties(Map<String, ?> own) {
        Map<String, Object> all = new HashMap<>();
        all.put("bootstrap.servers", HostPort.join(bootstrap));
        all.put("client.id", "sluice");
        // A command has nobody who reads its metrics, neither over JMX nor pushed to the broker; both cost start-up
        // time.
        all.put("metric.reporters", "");
        all.put("enable.metrics.push", "false");
        all.putAll(own);
        all.putAll(properties);
        return all;
    }
}
