package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import dev.sluice.testkit.GateFaults;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;

/// A broker under test: on a free port of the loopback interface, in a folder of its own, its native calls behind
/// [#faults].
///
/// Closing it stops the broker and fails the test if it left a memory map behind.
final class TestBroker implements AutoCloseable {
    final GateFaults faults = new GateFaults();
    /// Takes effect with the next start.
    InstantSource clock = InstantSource.system();

    private final Path folder;
    private final Map<String, String> settings = new HashMap<>();
    private Broker broker;

    private TestBroker(Path folder, String... keysAndValues) {
        this.folder = folder;
        settings.put("listeners", "PLAINTEXT://127.0.0.1:0");
        settings.put("log.dirs", folder.toString());
        set(keysAndValues);
    }

    /// A broker with Sluice's defaults but for these settings.
    ///
    /// @param keysAndValues key, value, key, value…
    static TestBroker start(Path folder, String... keysAndValues) throws IOException {
        TestBroker broker = new TestBroker(folder, keysAndValues);
        broker.start();
        return broker;
    }

    /// One that [#start] has yet to start, so that a test can arm faults for that.
    static TestBroker stopped(Path folder, String... keysAndValues) {
        return new TestBroker(folder, keysAndValues);
    }

    void set(String... keysAndValues) {
        for (int i = 0; i < keysAndValues.length; i += 2) {
            settings.put(keysAndValues[i], keysAndValues[i + 1]);
        }
    }

    void start() throws IOException {
        broker = Broker.start(BrokerConfig.load(settings), new Kernel(faults), clock);
    }

    /// Ends as a broker does that is told to end, and starts again in the same folder.
    void restart() throws IOException, InterruptedException {
        stop();
        start();
    }

    void stop() throws IOException, InterruptedException {
        assertThat(broker.shutdown(Duration.ofMinutes(2))).isTrue();
        broker.close();
    }

    Broker broker() {
        return broker;
    }

    Path folder() {
        return folder;
    }

    InetSocketAddress address() {
        return broker.addresses().getFirst();
    }

    /// What Kafka's clients are told.
    String bootstrap() {
        return address().getHostString() + ":" + address().getPort();
    }

    TestClient client() throws IOException {
        return TestClient.connect(address());
    }

    @Override
    public void close() throws IOException {
        if (broker != null) {
            broker.close();
            assertThat(faults.admitted(Call.MUNMAP)).as("maps undone").isEqualTo(faults.admitted(Call.MMAP));
        }
    }
}
