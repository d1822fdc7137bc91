package dev.sluice.bench.broker;

import dev.sluice.broker.Broker;
import dev.sluice.broker.config.BrokerConfig;
import java.util.Map;

/// A broker for [SmokeTest], in a process of its own until it is ended; prints the port as `bin/sluice broker` does.
final class BrokerMain {
    private BrokerMain() {}

    /// @param arguments the folder of its data
    static void main(String[] arguments) throws Exception {
        Broker broker = Broker.start(
                BrokerConfig.load(Map.of("log.dirs", arguments[0], "listeners", "PLAINTEXT://127.0.0.1:0")));
        System.out.println(
                "listens on 127.0.0.1:" + broker.addresses().getFirst().getPort());
        Thread.currentThread().join();
    }
}
