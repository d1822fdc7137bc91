package dev.sluice.systemtest;

import dev.sluice.broker.Broker;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testkit.GateFaults;
import java.io.IOException;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A broker whose fsync and fdatasync of partitions do nothing and say that they did: what the power cuts are tried out
/// on. Its catalogue is spared, or the topic would be gone, and with it what is to be counted.
public final class LyingBroker {
    private LyingBroker() {}

    /// Arguments: the data folder, the port, and `--set KEY=VALUE` as for `sluice broker`.
    public static void main(String[] args) throws IOException, ConfigException, InterruptedException {
        Map<String, String> settings = new HashMap<>();
        settings.put("log.dirs", args[0]);
        settings.put("listeners", "PLAINTEXT://127.0.0.1:" + args[1]);
        for (String each : List.of(args).subList(2, args.length)) {
            int equals = each.indexOf('=');
            if (equals > 0) {
                settings.put(each.substring(0, equals), each.substring(equals + 1));
            }
        }
        GateFaults faults = new GateFaults();
        faults.on(Call.FSYNC, Call.FDATASYNC)
                .of("*/" + CrashClient.TOPIC + "-*")
                .pretends();
        Broker broker = Broker.start(BrokerConfig.load(settings), new Kernel(faults), InstantSource.system());
        System.out.println("listening on " + broker.addresses().getFirst().getHostString() + ":" + args[1]);
        Thread.currentThread().join();
    }
}
