package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.CompressionType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Requests that are small on the wire and claim to be large inside: lengths, counts, compressed nothing. What the
/// broker allocates for them is bounded by what it received, not by what they claim.
@Timeout(180)
@ExtendWith(LeakCounter.class)
class BombsTest {
    private static final int BOMB_BYTES = 200;

    /// What a byte that is sent may cost on the heap, the test's own client and the log line included: they are
    /// most of it. A count that is believed costs gigabytes a bomb.
    private static final long MOST_BYTES_A_BYTE_SENT = (256 << 10) / BOMB_BYTES;

    /// Fills of a request's body: counts and lengths in every form that the protocol has, all of them huge.
    private static final List<byte[]> CLAIMS = List.of(
            new byte[] {0x7F, -1, -1, -1}, // an int32 of 2^31 - 1
            new byte[] {0x0F, -1, -1, -1}, // of 2^28 - 1, below what many check
            new byte[] {0x00, 0x7F, -1, -1}, // of 2^23 - 1
            new byte[] {-1, -1, -1, -1, 0x07}, // a varint of 2^31 - 1
            new byte[] {-1, -1, -1, 0x7F}, // of 2^28 - 1
            new byte[] {-1, -1, 0x7F, 1}, // of 2^21 - 1, and a byte that may be a length
            new byte[] {1, 2, -1, -1, -1, -1, 0x07}, // a small one first
            new byte[] {0, 1, 0x7F, -1, -1, -1}); // likewise

    @TempDir
    Path folder;

    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @Test
    void countsAndLengthsThatAreClaimedAreNotAllocated() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient witness = broker.client()) {
            List<Integer> keys = witness
                    .raw
                    .ask(
                            ApiKeys.API_VERSIONS,
                            3,
                            new ApiVersionsRequestData()
                                    .setClientSoftwareName("test")
                                    .setClientSoftwareVersion("1"),
                            ApiVersionsResponseData.class)
                    .apiKeys()
                    .stream()
                    .map(key -> (int) key.apiKey())
                    .toList();
            assertThat(keys).hasSizeGreaterThan(9);
            assertThat(allocatedForAByteSent(broker.address(), keys)).isLessThan(MOST_BYTES_A_BYTE_SENT);
            assertThat(witness.metadata().brokers()).hasSize(1);
        }
    }

    private long allocatedForAByteSent(InetSocketAddress address, List<Integer> keys) throws IOException {
        explode(address, ApiKeys.METADATA, CLAIMS.getFirst(), 0); // what is loaded and made once
        long sent = 0;
        long before = threads.getTotalThreadAllocatedBytes();
        for (int key : keys) {
            ApiKeys api = ApiKeys.forId(key);
            for (byte[] claim : CLAIMS) {
                for (int shift = 0; shift < 4; shift++) {
                    explode(address, api, claim, shift);
                    sent += BOMB_BYTES;
                }
            }
        }
        return (threads.getTotalThreadAllocatedBytes() - before) / sent;
    }

    /// A server that makes room for what the first array of a body claims to hold, up to 16 MiB: what a decoder
    /// does that does not hold counts against the bytes that are there.
    @Test
    void theControlThatBelievesAClaimIsCaught() throws Exception {
        try (ServerSocket believing = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread server = Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        try (Socket socket = believing.accept()) {
                            byte[] frame = socket.getInputStream().readAllBytes();
                            int claimed = ByteBuffer.wrap(frame).getInt(frame.length / 2);
                            socket.getOutputStream().write(new byte[Math.clamp(claimed, 1, 16 << 20)], 0, 1);
                        }
                    }
                } catch (IOException e) {
                    // The test is over.
                }
            });
            InetSocketAddress address = (InetSocketAddress) believing.getLocalSocketAddress();

            assertThat(allocatedForAByteSent(address, List.of((int) ApiKeys.METADATA.id)))
                    .isGreaterThan(MOST_BYTES_A_BYTE_SENT);

            believing.close();
            server.join();
        }
    }

    /// A request of the newest version whose head is right and whose body repeats a claim, moved by some bytes.
    private static void explode(InetSocketAddress address, ApiKeys api, byte[] claim, int shift) throws IOException {
        int version = api.latestVersion(false);
        boolean flexible = api.requestHeaderVersion((short) version) >= 2;
        ByteBuffer frame = ByteBuffer.allocate(BOMB_BYTES).putInt(BOMB_BYTES - Integer.BYTES);
        frame.putShort(api.id)
                .putShort((short) version)
                .putInt(7)
                .putShort((short) 1)
                .put((byte) 'b');
        if (flexible) {
            frame.put((byte) 0);
        }
        frame.position(frame.position() + shift);
        for (int i = 0; frame.hasRemaining(); i++) {
            frame.put(claim[i % claim.length]);
        }
        try (TestClient client = TestClient.connect(address)) {
            client.raw.sendBytes(frame.array());
            client.raw.shutdownOutput();
            client.raw.readUntilClosed();
        } catch (SocketException e) {
            // Reset: closed before it had read all.
        }
    }

    @Test
    void aBatchThatUnpacksToAThousandTimesItsSizeIsStoredAsItIs() throws IOException {
        try (TestBroker broker = TestBroker.start(folder);
                TestClient client = broker.client()) {
            TopicRef topic = client.create("topic", 1);
            char[] nothing = new char[64 << 20];
            Arrays.fill(nothing, '0');
            byte[] bomb = Batches.of(new String(nothing))
                    .compressedBy(CompressionType.GZIP)
                    .bytes();
            assertThat(bomb.length).isLessThan(128 << 10);
            client.append(topic, 0, Batches.of("warm").bytes());

            long before = threads.getTotalThreadAllocatedBytes();
            assertThat(client.append(topic, 0, bomb)).isEqualTo(1);
            long allocated = threads.getTotalThreadAllocatedBytes() - before;

            assertThat(allocated).isLessThan(8 << 20);
        }
    }
}
