package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import java.util.Map;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

class LogConfiguratorTest {
    @Test
    void logbackFindsIt() {
        assertThat(ServiceLoader.load(Configurator.class)).anyMatch(LogConfigurator.class::isInstance);
    }

    @Test
    void clientCommandsKeepTheirClientSilent() throws CommandFailure {
        LogLevel.forClients(Map.of(), false);
        assertThat(level("org.apache.kafka.clients.NetworkClient")).isEqualTo(Level.ERROR);
        assertThat(level("dev.sluice.cli.Consuming")).isEqualTo(Level.ERROR);
    }

    @Test
    void verboseClientCommandsShowWarnings() throws CommandFailure {
        LogLevel.forClients(Map.of(), true);
        assertThat(level("org.apache.kafka.clients.NetworkClient")).isEqualTo(Level.WARN);
    }

    @Test
    void aBrokerLogsWhatItDoesAndOthersOnlyWarn() throws CommandFailure {
        LogLevel.forBroker(Map.of(), "", false);
        assertThat(level("dev.sluice.broker.Broker")).isEqualTo(Level.INFO);
        assertThat(level("org.apache.kafka.common")).isEqualTo(Level.WARN);
    }

    @Test
    void theSettingWinsOverTheOptionAndTheEnvironment() throws CommandFailure {
        LogLevel.forBroker(Map.of("SLUICE_LOG", "error"), "trace", true);
        assertThat(level("dev.sluice.broker.Broker")).isEqualTo(Level.TRACE);
        LogLevel.forBroker(Map.of("SLUICE_LOG", "error"), "", false);
        assertThat(level("dev.sluice.broker.Broker")).isEqualTo(Level.ERROR);
    }

    @Test
    void anUnknownLevelIsRefused() {
        assertThatThrownBy(() -> LogLevel.forClients(Map.of("SLUICE_LOG", "loud"), false))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("SLUICE_LOG=loud");
    }

    private static Level level(String logger) {
        LoggerContext context = new LoggerContext();
        LogConfigurator configurator = new LogConfigurator();
        configurator.setContext(context);
        configurator.configure(context);
        return context.getLogger(logger).getEffectiveLevel();
    }
}
