package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What keeps a broker from starting, what its owner is told, and that a failed start leaves nothing behind.
@ExtendWith(LeakCounter.class)
class StartTest {
    @TempDir
    private Path folder;

    private Path data() {
        return folder.resolve("data");
    }

    /// One line, which names what it is about.
    private static void assertOneLine(Throwable thrown, String... parts) {
        assertThat(thrown).isInstanceOfAny(IOException.class, ConfigException.class);
        assertThat(thrown.getMessage()).isNotBlank().doesNotContain("\n");
        for (String part : parts) {
            assertThat(thrown.getMessage()).contains(part);
        }
    }

    // ---- Ports

    @Test
    void aPortInUseIsToldWithTheWayOut() throws IOException {
        try (TestBroker first = TestBroker.start(data())) {
            String taken = "PLAINTEXT://127.0.0.1:" + first.address().getPort();
            TestBroker second = TestBroker.stopped(folder.resolve("other"), "listeners", taken);

            assertOneLine(catchThrowable(second::start), taken, "in use", "--listen");
            assertThat(folder.resolve("other")).doesNotExist(); // told before anything was made
        }
    }

    @Test
    void onePortOfTwoInUseKeepsTheOtherFree() throws IOException {
        try (TestBroker first = TestBroker.start(data())) {
            int free;
            try (TestBroker gone = TestBroker.start(folder.resolve("gone"))) {
                free = gone.address().getPort();
            }
            TestBroker second = TestBroker.stopped(
                    folder.resolve("other"),
                    "listeners",
                    "A://127.0.0.1:" + free + ",B://127.0.0.1:"
                            + first.address().getPort());
            assertOneLine(catchThrowable(second::start), "in use");

            second.set("listeners", "A://127.0.0.1:" + free);
            second.start();
            second.close();
        }
    }

    @Test
    void anAddressOfNoInterfaceIsTold() {
        TestBroker broker = TestBroker.stopped(data(), "listeners", "PLAINTEXT://203.0.113.7:0");

        assertOneLine(catchThrowable(broker::start), "203.0.113.7", "no interface");
    }

    @Test
    void aListenerThatCantBeWaitedForKeepsTheBrokerFromStarting() {
        TestBroker broker = TestBroker.stopped(data());
        broker.faults.on(Call.EPOLL_CTL).of("socket for *").fails(Errno.ENOMEM);

        assertOneLine(catchThrowable(broker::start), "PLAINTEXT", "ENOMEM");
    }

    @Test
    void portZeroIsOneThatTheKernelChose() throws IOException {
        try (TestBroker broker = TestBroker.start(data(), "listeners", "A://127.0.0.1:0,B://127.0.0.1:0")) {
            assertThat(broker.broker().addresses())
                    .extracting(InetSocketAddress::getPort)
                    .allMatch(port -> port > 0)
                    .doesNotHaveDuplicates()
                    .hasSize(2);
            try (TestClient client = broker.client()) {
                assertThat(client.metadata().brokers().iterator().next().port())
                        .isEqualTo(broker.address().getPort());
            }
        }
    }

    // ---- Folders

    @Test
    void aFolderThatAnotherBrokerHoldsIsTold() throws IOException {
        try (TestBroker first = TestBroker.start(data())) {
            TestBroker second = TestBroker.stopped(data());

            assertOneLine(catchThrowable(second::start), data().toString(), "held by another broker");
            try (TestClient client = first.client()) {
                client.append(client.create("still-fine", 1), 0, Batches.of("a").bytes());
            }
        }
        TestBroker.start(data()).close(); // and once it is let go, it can be had
    }

    @Test
    void aFolderWithSomebodyElsesFilesIsLeftAlone() throws IOException {
        Files.createDirectories(data());
        Files.writeString(data().resolve("thesis.txt"), "three years");
        TestBroker broker = TestBroker.stopped(data());

        assertOneLine(catchThrowable(broker::start), data().toString(), "thesis.txt");
        try (var left = Files.list(data())) {
            assertThat(left).containsExactly(data().resolve("thesis.txt"));
        }
    }

    @Test
    void aFolderOfAnotherNodeIsTold() throws IOException {
        TestBroker.start(data(), "node.id", "1").close();
        TestBroker broker = TestBroker.stopped(data(), "node.id", "2");

        assertOneLine(catchThrowable(broker::start), data().toString(), "node.id 1", "node.id=1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "cluster.id=", "version=1\ncluster.id=x\nnode.id=many\n", "cluster.id=\\u12"})
    void aFolderWhoseIdentityCantBeReadIsTold(String metaProperties) throws IOException {
        TestBroker.start(data()).close();
        Files.writeString(data().resolve("meta.properties"), metaProperties);
        TestBroker broker = TestBroker.stopped(data());

        assertOneLine(catchThrowable(broker::start), "meta.properties");
    }

    @Test
    void aFileWhereTheFolderShouldBeIsTold() throws IOException {
        Files.writeString(data(), "a file");
        TestBroker broker = TestBroker.stopped(data());

        assertOneLine(catchThrowable(broker::start), data().toString(), "is a file");
    }

    /// By the gate, for nothing is forbidden to root.
    @Test
    void aFolderThatMayNotBeWrittenIsTold() {
        TestBroker broker = TestBroker.stopped(data());
        broker.faults.on(Call.OPENAT).of(data() + "/*").fails(Errno.EACCES);

        assertOneLine(catchThrowable(broker::start), data().toString(), "EACCES");
    }

    @Test
    void aFullDiskIsTold() {
        TestBroker broker = TestBroker.stopped(data());
        broker.faults.on(Call.PWRITE).of(data() + "/*").fails(Errno.ENOSPC);

        assertOneLine(catchThrowable(broker::start), data().toString(), "ENOSPC");
    }

    @Test
    void aFolderIsMadeWithTheFoldersAboveIt() throws IOException {
        Path deep = folder.resolve("a/b/c");
        TestBroker.start(deep).close();

        assertThat(deep.resolve("meta.properties")).exists();
    }

    /// Fails the first of these calls, then the second, and so on, until a start meets none: each time the broker
    /// starts all the same, or says in one line why not; what it leaves open the leak counter tells, and the next
    /// start finds a good folder.
    @ParameterizedTest
    @EnumSource(
            value = Call.class,
            names = {
                "SOCKET",
                "BIND",
                "LISTEN",
                "SETSOCKOPT",
                "EPOLL_CREATE",
                "EPOLL_CTL",
                "EVENTFD",
                "OPENAT",
                "MKDIR",
                "FCNTL",
                "PWRITE",
                "FSYNC",
                "FDATASYNC",
                "RENAME",
                "STATX",
                "FALLOCATE",
                "MMAP",
                "PREAD",
                "GETSOCKNAME"
            })
    void whicheverCallFailsTheStartLeavesNothingBehind(Call call) throws Exception {
        LeakCounter.Handles before = LeakCounter.Handles.now();
        for (int number = 1; ; number++) {
            Path tried = folder.resolve(call + "-" + number);
            TestBroker broker = TestBroker.stopped(tried);
            GateFaults.Fault fault =
                    broker.faults.on(call).from(number).times(1).fails(Errno.ENOMEM);
            Throwable thrown = catchThrowable(broker::start);
            fault.heal();
            if (thrown == null) {
                try (TestClient client = broker.client()) {
                    client.append(client.create("topic", 1), 0, Batches.of("a").bytes());
                }
                broker.close();
            } else {
                assertOneLine(thrown);
                before.requireNothingNew(Duration.ofSeconds(20));
            }
            try (TestBroker next = TestBroker.start(tried);
                    TestClient client = next.client()) {
                client.create("another", 1);
            }
            if (fault.hits() == 0) {
                return;
            }
        }
    }

    // ---- Configuration

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "num.partitions | 0 | an integer from 1 to 10000",
                "num.partitions | many | an integer from 1 to 10000",
                "num.partitions | 99999999999 | an integer from 1 to 10000",
                "num.partitions | '' | an integer from 1 to 10000",
                "auto.create.topics.enable | yes | true or false",
                "auto.create.topics.enable | TRUE | true or false",
                "node.id | -1 | an integer from 0",
                "num.network.threads | 65 | an integer from 0 to 64",
                "socket.request.max.bytes | 1023 | an integer from 1024",
                "connections.max.idle.ms | 0 | an integer from 1000",
                "connections.max.idle.ms | 9223372036854775807 | an integer from 1000",
                "max.connections | 0 | an integer from 1",
                "socket.send.buffer.bytes | 0 | -1, or an integer from 1",
                "socket.receive.buffer.bytes | -2 | -1, or an integer from 1",
                "log.segment.bytes | 60 | an integer from 61",
                "log.segment.bytes | 1e9 | an integer from 61",
                "message.max.bytes | -1 | an integer from 0",
                "listeners | 127.0.0.1 | HOST:PORT",
                "listeners | 127.0.0.1:http | HOST:PORT",
                "listeners | 127.0.0.1:65536 | 0 to 65535",
                "listeners | ://127.0.0.1:1 | HOST:PORT",
                "listeners | ::1:9092 | [::1]:9092",
                "listeners | SSL://127.0.0.1:0 | PLAINTEXT",
                "listeners | SASL_PLAINTEXT://127.0.0.1:0 | PLAINTEXT",
                "listeners | A://127.0.0.1:0,A://127.0.0.1:0 | twice",
                "listeners | '' | at least one",
                "advertised.listeners | PLAINTEXT://0.0.0.0:9092 | wildcard",
                "advertised.listeners | PLAINTEXT://:9092 | wildcard",
                "advertised.listeners | OTHER://host:9092 | OTHER",
                "log.dirs | '' | one folder",
                "log.dirs | /a,/b | one folder"
            })
    void aValueThatIsNotAllowedIsToldWithWhatIs(String key, String value, String allowed) {
        Throwable thrown = catchThrowable(() -> BrokerConfig.load(Map.of(key, value)));

        assertOneLine(thrown, key, allowed);
        assertThat(thrown).isInstanceOf(ConfigException.class);
    }

    @ParameterizedTest
    @CsvSource({"num.partition, num.partitions", "listener, listeners", "log.segment.byte, log.segment.bytes"})
    void anUnknownKeyIsToldWithTheNearest(String key, String nearest) {
        assertOneLine(catchThrowable(() -> BrokerConfig.load(Map.of(key, "1"))), key, nearest);
    }

    @ParameterizedTest
    @ValueSource(strings = {"process.roles", "zookeeper.connect", "broker.id", "num.io.threads"})
    void aKeyOfKafkaThatMeansNothingHereIsToldAsOne(String key) {
        assertOneLine(catchThrowable(() -> BrokerConfig.load(Map.of(key, "1"))), key, "Kafka");
    }

    @Test
    void anEmptyConfigurationIsAWorkingOne() {
        BrokerConfig config = BrokerConfig.load(Map.of());

        assertThat(config.listeners()).hasSize(1);
        assertThat(config.listeners().getFirst().host()).isEqualTo("127.0.0.1");
        assertThat(config.defaultPartitions()).isEqualTo(1);
    }

    @Test
    void closingTwiceChangesNothing() throws IOException {
        TestBroker broker = TestBroker.start(data());
        broker.close();
        broker.close();

        assertThatThrownBy(broker::client).isInstanceOf(IOException.class);
        assertThat(List.of(data().toFile().list())).contains(".kafka_cleanshutdown");
    }
}
