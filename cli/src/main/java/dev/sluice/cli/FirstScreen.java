package dev.sluice.cli;

import dev.sluice.broker.Version;
import java.net.InetSocketAddress;
import java.util.stream.Collectors;

/// What a broker says when it is up: what runs, where, where the data lies, what was found there, what an
/// acknowledgement promises, and the next command to try.
final class FirstScreen {
    private static final String DEFAULT_ADDRESS = "127.0.0.1:9092";

    private FirstScreen() {}

    /// @param command the word that this command was called by: what is suggested works when it is typed
    static String text(BrokerCommand.RunningBroker broker, String command) {
        StringBuilder text = new StringBuilder();
        line(
                text,
                "Sluice " + Version.CURRENT,
                "a message log that speaks Kafka's protocol; process "
                        + ProcessHandle.current().pid());
        line(
                text,
                "  listens on",
                broker.addresses().stream().map(FirstScreen::address).collect(Collectors.joining(", ")));
        line(text, "  data in", broker.dataDir());
        String label = "  recovery";
        for (String sentence : broker.recovery()) {
            line(text, label, sentence);
            label = "";
        }
        line(text, "  flush", broker.flushPolicy() + ": " + promise(broker.flushPolicy()));
        if (!broker.localSocket().isEmpty()) {
            line(
                    text,
                    "  local",
                    broker.localSocket() + ": programs of this host read logs in place (consume --local)");
        }
        line(text, "  try", "echo hello | " + command + " produce first" + bootstrap(broker));
        line(text, "  then", command + " consume first --to-end" + bootstrap(broker));
        return text.toString();
    }

    private static void line(StringBuilder text, String label, String value) {
        text.append(label);
        text.repeat(' ', Math.max(2, 14 - label.length()));
        text.append(value).append('\n');
    }

    /// What an acknowledged record survives, in one sentence.
    private static String promise(String policy) {
        String kind = policy.split("[^a-z]", 2)[0];
        return switch (kind) {
            case "os" ->
                "an acknowledged record survives kill -9 of this process; a power loss can take what the kernel had not"
                        + " written yet";
            case "interval" ->
                "an acknowledged record survives kill -9 of this process; a power loss can take those of the last interval";
            case "ack" ->
                "an acknowledged record survives kill -9 of this process and a power loss; consumers see no others";
            default -> "see the configuration";
        };
    }

    private static String bootstrap(BrokerCommand.RunningBroker broker) {
        InetSocketAddress first = broker.addresses().getFirst();
        String address = first.getAddress().isAnyLocalAddress() ? "127.0.0.1:" + first.getPort() : address(first);
        return address.equals(DEFAULT_ADDRESS) ? "" : " --bootstrap " + address;
    }

    private static String address(InetSocketAddress address) {
        return new HostPort(address.getAddress().getHostAddress(), address.getPort()).toString();
    }
}
