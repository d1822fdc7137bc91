package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBroker;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Where connections are taken, and where clients are told to go.
@ExtendWith(LeakCounter.class)
@SuppressWarnings("AddressSelection") // literal addresses, nothing is looked up
class ListenersTest {
    @TempDir
    private Path folder;

    private TestBroker start(String... settings) throws IOException {
        return TestBroker.start(folder.resolve("data"), settings);
    }

    /// What a client that connects to `host` is told, by both APIs that tell it.
    private static String told(InetSocketAddress address) throws IOException {
        try (TestClient client = TestClient.connect(address)) {
            MetadataResponseBroker broker =
                    client.metadata().brokers().iterator().next();
            DescribeClusterBroker described = client.raw
                    .ask(
                            ApiKeys.DESCRIBE_CLUSTER,
                            2,
                            new DescribeClusterRequestData().setEndpointType((byte) 1),
                            DescribeClusterResponseData.class)
                    .brokers()
                    .iterator()
                    .next();
            assertThat(described.host()).isEqualTo(broker.host());
            assertThat(described.port()).isEqualTo(broker.port());
            assertThat(described.brokerId()).isEqualTo(broker.nodeId());
            return broker.host() + " " + broker.port();
        }
    }

    @Test
    void aHostIsAdvertisedAsItWasWritten() throws IOException {
        try (TestBroker broker = start("listeners", "PLAINTEXT://localhost:0")) {
            int port = broker.address().getPort();

            assertThat(told(broker.address())).isEqualTo("localhost " + port);
        }
    }

    @Test
    void everyInterfaceAdvertisesTheAddressThatTheClientCameBy() throws IOException {
        try (TestBroker broker = start("listeners", "PLAINTEXT://0.0.0.0:0")) {
            int port = broker.address().getPort();

            assertThat(port).isPositive();
            assertThat(told(new InetSocketAddress("127.0.0.1", port))).isEqualTo("127.0.0.1 " + port);
            assertThat(told(new InetSocketAddress("127.0.0.2", port))).isEqualTo("127.0.0.2 " + port);
        }
    }

    @Test
    void anEmptyHostIsEveryInterface() throws IOException {
        try (TestBroker broker = start("listeners", "PLAINTEXT://:0")) {
            int port = broker.address().getPort();

            assertThat(told(new InetSocketAddress("127.0.0.3", port))).isEqualTo("127.0.0.3 " + port);
        }
    }

    @Test
    void anIpv6AddressIsListenedOn() throws IOException {
        assumeIpv6();
        try (TestBroker broker = start("listeners", "PLAINTEXT://[::1]:0")) {
            int port = broker.address().getPort();

            assertThat(told(new InetSocketAddress(InetAddress.getByName("::1"), port)))
                    .isEqualTo("::1 " + port);
        }
    }

    @Test
    void everyIpv6InterfaceIsEveryIpv4InterfaceToo() throws IOException {
        assumeIpv6();
        try (TestBroker broker = start("listeners", "PLAINTEXT://[::]:0")) {
            int port = broker.address().getPort();

            assertThat(told(new InetSocketAddress("127.0.0.1", port))).isEqualTo("127.0.0.1 " + port);
            assertThat(told(new InetSocketAddress(InetAddress.getByName("::1"), port)))
                    .isEqualTo("0:0:0:0:0:0:0:1 " + port);
        }
    }

    private static void assumeIpv6() throws IOException {
        Path addresses = Path.of("/proc/net/if_inet6");
        Assumptions.assumeTrue(
                Files.exists(addresses) && Files.readString(addresses).contains("00000000000000000000000000000001"),
                "this machine has no IPv6 loopback");
    }

    @Test
    void anAdvertisedAddressIsWhatClientsAreTold() throws IOException {
        try (TestBroker broker = start(
                "listeners",
                "INSIDE://127.0.0.1:0,OUTSIDE://127.0.0.1:0",
                "advertised.listeners",
                "OUTSIDE://log.example.org:19092")) {
            InetSocketAddress inside = broker.broker().addresses().get(0);
            InetSocketAddress outside = broker.broker().addresses().get(1);

            assertThat(told(inside)).isEqualTo("127.0.0.1 " + inside.getPort());
            assertThat(told(outside)).isEqualTo("log.example.org 19092");
        }
    }

    @Test
    void anAdvertisedPortOfZeroIsTheRealOne() throws IOException {
        try (TestBroker broker = start("advertised.listeners", "PLAINTEXT://log.example.org:0")) {
            assertThat(told(broker.address()))
                    .isEqualTo("log.example.org " + broker.address().getPort());
        }
    }

    @Test
    void thisIsNoController() throws IOException {
        try (TestBroker broker = start();
                TestClient client = broker.client()) {
            for (int version = 1; version <= 2; version++) {
                DescribeClusterResponseData answer = client.raw.ask(
                        ApiKeys.DESCRIBE_CLUSTER,
                        version,
                        new DescribeClusterRequestData().setEndpointType((byte) 2),
                        DescribeClusterResponseData.class);

                assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.MISMATCHED_ENDPOINT_TYPE);
            }
        }
    }
}
