package dev.sluice.cli;

import dev.sluice.broker.Broker;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.config.ConfigException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// The real broker behind [BrokerCommand], and the only class of this module that knows the broker's.
final class SluiceBroker implements BrokerCommand.RunningBroker {
    private final Broker broker;
    private final BrokerConfig config;

    private SluiceBroker(Broker broker, BrokerConfig config) {
        this.broker = broker;
        this.config = config;
    }

    static BrokerCommand.RunningBroker start(Map<String, String> properties) throws CommandFailure, IOException {
        BrokerConfig config;
        try {
            config = BrokerConfig.load(properties);
        } catch (ConfigException e) {
            throw CommandFailure.usage(String.valueOf(e.getMessage()), e);
        }
        return new SluiceBroker(Broker.start(config), config);
    }

    @Override
    public List<InetSocketAddress> addresses() {
        return broker.addresses();
    }

    @Override
    public String dataDir() {
        return broker.dataDir().toAbsolutePath().normalize().toString();
    }

    @Override
    public String localSocket() {
        return broker.localSocket().map(Path::toString).orElse("");
    }

    @Override
    public String flushPolicy() {
        return broker.flushPolicy();
    }

    @Override
    public List<String> recovery() {
        return RecoveryLines.of(broker.recoveryReport());
    }

    @Override
    public Duration shutdownGrace() {
        return Duration.ofMillis(config.shutdownGraceMs());
    }

    @Override
    public void onFailure(Consumer<Throwable> told) {
        broker.failure().thenAccept(told);
    }

    @Override
    public boolean shutdown(Duration grace) throws InterruptedException {
        return broker.shutdown(grace);
    }

    @Override
    public void close() throws IOException {
        broker.close();
    }
}
