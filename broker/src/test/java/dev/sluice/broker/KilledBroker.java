package dev.sluice.broker;

import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.testbase.Commands;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// A broker in a process of its own, which can be killed. The process runs [#main].
final class KilledBroker implements AutoCloseable {
    private final Process process;
    private final InetSocketAddress address;

    private KilledBroker(Process process, InetSocketAddress address) {
        this.process = process;
        this.address = address;
    }

    /// Starts one, and answers when it takes connections.
    ///
    /// @param keysAndValues settings: key, value, key, value…
    static KilledBroker start(Path folder, String... keysAndValues) throws IOException {
        List<String> command = Commands.java(
                List.of("-Xmx64m", "-XX:TieredStopAtLevel=1", "-ea"), KilledBroker.class, folder.toString());
        command.addAll(List.of(keysAndValues));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String port = out.readLine();
        if (port == null) {
            throw new IOException("the broker's process ended before it told its port");
        }
        return new KilledBroker(
                process, new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port)));
    }

    InetSocketAddress address() {
        return address;
    }

    long pid() {
        return process.pid();
    }

    /// SIGKILL; answers when the process is gone.
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(60, TimeUnit.SECONDS);
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            process.waitFor(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.getInputStream().close();
        process.getOutputStream().close();
    }

    /// Runs a broker until it is killed, or until whoever started it is gone.
    public static void main(String[] arguments) throws IOException {
        Map<String, String> settings = new HashMap<>();
        settings.put("listeners", "PLAINTEXT://127.0.0.1:0");
        settings.put("log.dirs", Objects.requireNonNull(arguments[0]));
        for (int i = 1; i < arguments.length; i += 2) {
            settings.put(arguments[i], arguments[i + 1]);
        }
        Broker broker = Broker.start(BrokerConfig.load(settings));
        System.out.println(broker.addresses().getFirst().getPort());
        while (System.in.read() >= 0) {
            // Nobody writes. The end of the input is the end of the parent.
        }
        Runtime.getRuntime().halt(1);
    }
}
