package dev.sluice.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/// The broker's settings from all their sources, the later winning over the earlier: the broker's own defaults, the
/// file of `--config`, `--data` and `--listen`, `--set`.
///
/// One key is the command's own and not handed on: `sluice.log.level`.
final class BrokerSettings {
    private BrokerSettings() {}

    /// Collects the settings, and sets the level of the log.
    ///
    /// @return for the broker, by its names; what nobody set is missing
    static Map<String, String> from(BrokerArguments arguments, Map<String, String> environment) throws CommandFailure {
        Map<String, String> all = new TreeMap<>();
        if (arguments.config() != null) {
            all.putAll(read(Path.of(arguments.config())));
        }
        if (arguments.data() != null) {
            all.put("log.dirs", arguments.data());
        }
        if (arguments.listen() != null) {
            if (arguments.listen().contains("://")) {
                throw CommandFailure.usage("--listen " + arguments.listen()
                        + ": write HOST:PORT alone; names and several listeners, as Kafka writes them, go into --set"
                        + " listeners=" + arguments.listen());
            }
            all.put("listeners", "PLAINTEXT://" + arguments.listen());
        }
        all.putAll(KeyValue.parseAll("--set", arguments.sets()));

        String level = all.remove(LogLevel.OWN_PROPERTY);
        LogLevel.forBroker(environment, level == null ? "" : level, arguments.verbose());
        return Map.copyOf(all);
    }

    private static Map<String, String> read(Path file) throws CommandFailure {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
        } catch (NoSuchFileException e) {
            throw CommandFailure.usage("--config " + file + ": no such file", e);
        } catch (IOException | IllegalArgumentException e) {
            throw CommandFailure.usage("--config " + file + ": can't be read as properties: " + e.getMessage(), e);
        }
        Map<String, String> all = new TreeMap<>();
        properties
                .stringPropertyNames()
                .forEach(key -> all.put(key, properties.getProperty(key).strip()));
        return all;
    }
}
