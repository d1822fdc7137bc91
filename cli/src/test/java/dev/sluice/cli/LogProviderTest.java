package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LogProviderTest {
    static {
        TestLogs.start();
    }

    @Test
    void theCommandsHaveSlf4jUseIt() throws CommandFailure {
        LogLevel.forClients(Map.of(), false);
        assertThat(System.getProperty("slf4j.provider")).isEqualTo(LogProvider.class.getName());
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

    @Test
    void aLineHasTimeLevelLoggerAndMessageAndTheStackBelow() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        LoggerContext context = new LoggerContext();
        LogLines lines = new LogLines(new PrintStream(out, true, StandardCharsets.UTF_8));
        lines.setContext(context);
        lines.start();
        context.getLogger("ROOT").addAppender(lines);

        context.getLogger("dev.sluice.broker.Broker").warn("half {}", 2, new IllegalStateException("why"));
        context.getLogger("plain").error("done");

        assertThat(out.toString(StandardCharsets.UTF_8).lines()).satisfies(text -> {
            assertThat(text.getFirst())
                    .matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3} WARN  Broker: half 2");
            assertThat(text.get(1)).isEqualTo("java.lang.IllegalStateException: why");
            assertThat(text.get(2)).startsWith("\tat ");
            assertThat(text.getLast()).endsWith(" ERROR plain: done");
        });
    }

    private static Level level(String logger) {
        LogProvider provider = new LogProvider();
        provider.initialize();
        return ((LoggerContext) provider.getLoggerFactory()).getLogger(logger).getEffectiveLevel();
    }
}
