package dev.sluice.broker.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/// docs/CONFIGURATION.md is made from the code. After a change of a key, write it anew with `mvn test -pl broker -am
/// -Dtest=ConfigurationPageTest -Dsluice.docs.write=true -Dsurefire.failIfNoSpecifiedTests=false`.
class ConfigurationPageTest {
    private static final Path PAGE = Path.of("../docs/CONFIGURATION.md");

    @Test
    void theConfigurationPageTellsEveryKeyAsTheCodeHasIt() throws IOException {
        String page = page();
        if (Boolean.getBoolean("sluice.docs.write")) {
            Files.writeString(PAGE, page);
        }
        assertThat(PAGE).hasContent(page);
    }

    private static String page() {
        StringBuilder page = new StringBuilder("""
                # Configuration

                This page is made from the code. A broker takes these keys from `--config FILE` (a properties file) and from
                `--set KEY=VALUE`, which wins. They have Kafka's names and meanings where the thing is the same; those with the prefix `sluice.`
                are Sluice's own. A key that is not in the table, or a value that is not allowed, stops the start with one line that says so.

                | key | default | takes | meaning |
                |---|---|---|---|
                """);
        List<ConfigKey<?>> keys = BrokerKeys.all().stream()
                .sorted(Comparator.comparing(ConfigKey::name))
                .toList();
        for (ConfigKey<?> key : keys) {
            page.append("| `%s` | %s | %s | %s |\n"
                    .formatted(
                            key.name(),
                            key.defaultValue().isEmpty() ? "none" : "`" + key.defaultValue() + "`",
                            key.allowed(),
                            key.meaning()));
        }
        page.append("""

                ## While the broker runs

                Clients may change these, for the broker by its number or for all brokers (`kafka-configs --entity-type brokers`). What is set for
                the broker hides what is set for all, and that what it was started with; it is kept in the catalogue and holds after a
                restart, too. They hold at once: limits for connections that come, the others for every topic that has no value of its own.

                """);
        keys.stream()
                .filter(key -> BrokerKeys.isDynamic(key.name()))
                .forEach(key -> page.append("- `%s`\n".formatted(key.name())));
        page.append("""

                ## Topics

                A topic inherits the broker's value unless it has one of its own (`sluice topic create NAME --config KEY=VALUE`,
                `sluice topic alter NAME --config KEY=VALUE`, or any Kafka client).

                | key of the topic | inherits |
                |---|---|
                """);
        TopicKeys.inherited().forEach((name, brokerKey) -> page.append("| `%s` | `%s` |\n".formatted(name, brokerKey)));
        page.append("""

                These are taken and have no effect, for programs that set them:

                | key of the topic | because |
                |---|---|
                """);
        UnusedTopicKeys.reasons().forEach((name, why) -> page.append("| `%s` | %s |\n".formatted(name, why)));
        return page.toString();
    }
}
