package dev.sluice.broker;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.broker.protocol.RequestRepair;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.RawKafkaClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/// Frames, one behind the other, on a connection of their own to a broker with its sockets, threads and files.
///
/// ```
///   input:  u8 flags (1: mend the CRCs of produced batches), then for each frame  u16 its length, its bytes
///   16 bytes of a frame that spell ID stand for the id of the topic "topic", which is another in every run; each frame
///   gets its number as its correlation id
/// ```
///
/// What must hold:
///
/// - Each request is answered in its turn, with its correlation id, by bytes that kafka-clients' parser takes to the
///   last one; or the connection is closed. Only a Produce may be left without an answer before that.
/// - The broker logs no error, and no thread of it ends.
/// - Now and then: no connection is left, a batch stored before is read as it was; and after a restart of the broker,
///   too.
///
/// The broker is used for many inputs, for a start costs a hundred times as much as a frame; so what an input finds may
/// depend on those before it.
final class RequestFuzz implements Fuzz.Target {
    static final byte[] ID = "id-of-the-topic!".getBytes(StandardCharsets.US_ASCII);

    private static final int MOST_FRAMES = 12;
    private static final int RUNS_BETWEEN_LOOKS = 128;
    private static final int RUNS_OF_A_BROKER = 4096;
    private static final int MOST_PARTITIONS = 500;
    private static final int LOOPS = 2;
    private static final byte MEND_CRC = 1;
    private static final int CORRELATION_ID_AT = 4;

    private final byte[] batch = Batches.of("stored", "before").bytes();

    private Path folder;
    private TestBroker broker;
    private TestClient witness;
    private TopicRef guard;
    private TopicRef topic;
    private int runs;

    // ---- The broker

    private void start() throws IOException {
        ErrorWatch.forget();
        Path shared = Path.of("/dev/shm");
        folder = Files.isWritable(shared)
                ? Files.createTempDirectory(shared, "sluice-fuzz-")
                : Files.createTempDirectory("sluice-fuzz-");
        broker = TestBroker.start(
                folder.resolve("data"),
                "num.network.threads",
                Integer.toString(LOOPS),
                "group.initial.rebalance.delay.ms",
                "0");
        witness = broker.client();
        guard = witness.create("guard-" + UUID.randomUUID(), 1);
        witness.append(guard, 0, batch);
        ensureTopic();
    }

    private void ensureTopic() throws IOException {
        var found = witness.metadata("topic").topics().find("topic");
        topic = Errors.forCode(found.errorCode()) == Errors.NONE
                ? new TopicRef("topic", found.topicId())
                : witness.create("topic", 2);
    }

    @Override
    public void close() throws IOException {
        if (broker == null) {
            return;
        }
        witness.close();
        broker.close();
        broker = null;
        deleteFolder();
        ErrorWatch.requireNone();
    }

    private void deleteFolder() throws IOException {
        try (Stream<Path> walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    // ---- One input

    @Override
    public void run(byte[] input) throws Exception {
        if (broker == null) {
            start();
        }
        runs++;
        exchange(frames(input));
        ErrorWatch.requireNone();
        if (runs % RUNS_BETWEEN_LOOKS == 0) {
            look();
            if (runs >= RUNS_OF_A_BROKER || partitions() > MOST_PARTITIONS) {
                renew();
            }
        }
    }

    private List<byte[]> frames(byte[] input) {
        List<byte[]> frames = new ArrayList<>();
        if (input.length == 0) {
            return frames;
        }
        ByteBuffer left = ByteBuffer.wrap(input);
        boolean mendCrc = (left.get() & MEND_CRC) != 0;
        while (left.remaining() >= Short.BYTES && frames.size() < MOST_FRAMES) {
            byte[] frame = new byte[Math.min(Short.toUnsignedInt(left.getShort()), left.remaining())];
            left.get(frame);
            putId(frame);
            if (frame.length >= CORRELATION_ID_AT + Integer.BYTES) {
                ByteBuffer.wrap(frame).putInt(CORRELATION_ID_AT, frames.size());
            }
            if (mendCrc) {
                RequestRepair.mendCrcs(frame);
            }
            frames.add(frame);
        }
        return frames;
    }

    private void putId(byte[] frame) {
        for (int at = 0; at + ID.length <= frame.length; at++) {
            if (frame[at] == ID[0] && Arrays.equals(frame, at, at + ID.length, ID, 0, ID.length)) {
                ByteBuffer.wrap(frame, at, ID.length)
                        .putLong(topic.id().getMostSignificantBits())
                        .putLong(topic.id().getLeastSignificantBits());
            }
        }
    }

    private void exchange(List<byte[]> frames) throws IOException {
        try (TestClient client = broker.client()) {
            try {
                ByteArrayOutputStream all = new ByteArrayOutputStream();
                frames.forEach(frame -> all.writeBytes(RawKafkaClient.framed(frame)));
                client.raw.sendBytes(all.toByteArray());
                client.raw.shutdownOutput(); // so that even a fetch that came to ask for a long wait is answered
            } catch (SocketException e) {
                // Closed by the broker while bytes were still being sent.
            }
            int next = 0;
            for (Optional<ByteBuffer> answer = client.raw.readFrameOrEnd();
                    answer.isPresent();
                    answer = client.raw.readFrameOrEnd()) {
                next = understand(answer.get(), frames, next);
            }
        }
    }

    /// @return the number of the frame behind the one that was answered
    private static int understand(ByteBuffer answer, List<byte[]> frames, int from) {
        int correlationId = answer.getInt(0);
        for (int i = from; i < frames.size(); i++) {
            ByteBuffer frame = ByteBuffer.wrap(frames.get(i));
            if (frame.remaining() >= CORRELATION_ID_AT + Integer.BYTES && i == correlationId) {
                check(frame.getShort(0), frame.getShort(2), correlationId, answer);
                return i + 1;
            }
            if (frame.remaining() < Short.BYTES || frame.getShort(0) != ApiKeys.PRODUCE.id) {
                throw new AssertionError("frame " + i
                        + " was left without an answer, and then came that to the request " + correlationId);
            }
        }
        throw new AssertionError("an answer to a request " + correlationId + " that nobody sent");
    }

    private static void check(short key, short version, int correlationId, ByteBuffer answer) {
        if (!ApiKeys.hasId(key)) {
            if (key != RawKafkaClient.STATUS_KEY) {
                throw new AssertionError("an answer to the unknown API " + key);
            }
            return;
        }
        ApiKeys api = ApiKeys.forId(key);
        boolean known = api.isVersionSupported(version);
        if (!known && api != ApiKeys.API_VERSIONS) {
            throw new AssertionError("an answer to version " + version + " of " + api);
        }
        RawKafkaClient.parse(api, known ? version : 0, correlationId, answer, ApiMessage.class);
    }

    // ---- What must hold beyond one input

    private void look() throws Exception {
        if (!Arrays.equals(witness.read(guard, 0, 0), Batches.stored(batch, 0, 0))) {
            throw new AssertionError("what was stored before is not what is read now");
        }
        ensureTopic();
        long loops = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("sluice-loop-"))
                .count();
        if (loops != LOOPS) {
            throw new AssertionError(LOOPS - loops + " event loops have ended");
        }
        long patienceEndNs = System.nanoTime() + RawKafkaClient.PATIENCE_MS * 1_000_000L;
        while (Status.of(witness).openConnections().size() > 1) {
            if (System.nanoTime() > patienceEndNs) {
                throw new AssertionError(
                        "connections are left: " + Status.of(witness).openConnections());
            }
        }
    }

    private int partitions() throws IOException {
        return witness.metadata().topics().stream()
                .mapToInt(each -> each.partitions().size())
                .sum();
    }

    private void renew() throws Exception {
        runs = 0;
        witness.close();
        broker.restart();
        witness = broker.client();
        look();
        close();
    }

    // ---- Seeds

    @Override
    public List<byte[]> seeds() {
        TopicRef placeholder = new TopicRef(
                "topic",
                new Uuid(ByteBuffer.wrap(ID).getLong(), ByteBuffer.wrap(ID).getLong(Long.BYTES)));
        List<byte[]> seeds = new ArrayList<>();
        for (ApiKeys api : SampleRequests.OFFERED) {
            for (int version = api.oldestVersion(); version <= SampleRequests.newest(api); version++) {
                seeds.add(seed(frame(api, version, SampleRequests.of(api, version, placeholder))));
            }
        }
        byte[] batch = Batches.of("one", "two").bytes();
        byte[] idempotent = Batches.of("three").producer(1, 0, 0).bytes();
        seeds.add(seed(
                frame(ApiKeys.PRODUCE, 12, TestClient.produceRequest(12, TestClient.ALL, placeholder, 0, batch)),
                frame(ApiKeys.PRODUCE, 13, TestClient.produceRequest(13, (short) 0, placeholder, 1, idempotent)),
                frame(ApiKeys.PRODUCE, 13, TestClient.produceRequest(13, (short) 1, placeholder, 1, idempotent)),
                frame(
                        ApiKeys.FETCH,
                        17,
                        TestClient.fetchRequest(17, placeholder, 0, 0).setSessionEpoch(0))));
        seeds.add(group(placeholder));
        return seeds;
    }

    /// A member of each protocol joins, commits, asks, leaves; then the group goes.
    private static byte[] group(TopicRef topic) {
        ConsumerGroupHeartbeatRequestData join = new ConsumerGroupHeartbeatRequestData()
                .setGroupId("g")
                .setMemberId("m")
                .setMemberEpoch(0)
                .setRebalanceTimeoutMs(1000)
                .setSubscribedTopicNames(List.of(topic.name()))
                .setTopicPartitions(List.of());
        OffsetCommitRequestData commit = new OffsetCommitRequestData()
                .setGroupId("g")
                .setMemberId("m")
                .setGenerationIdOrMemberEpoch(1)
                .setTopics(List.of(new OffsetCommitRequestTopic()
                        .setName(topic.name())
                        .setPartitions(List.of(new OffsetCommitRequestPartition().setCommittedOffset(1)))));
        OffsetFetchRequestData committed = new OffsetFetchRequestData()
                .setGroups(List.of(new OffsetFetchRequestGroup().setGroupId("g").setTopics(null)));
        JoinGroupRequestData classic = new JoinGroupRequestData()
                .setGroupId("c")
                .setSessionTimeoutMs(10_000)
                .setRebalanceTimeoutMs(1000)
                .setProtocolType("consumer");
        classic.protocols()
                .add(new JoinGroupRequestData.JoinGroupRequestProtocol()
                        .setName("range")
                        .setMetadata(new byte[] {0, 0, 0, 0, 0, 1, 0, 1, 't', -1, -1, -1, -1}));
        return seed(
                frame(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1, join),
                frame(ApiKeys.OFFSET_COMMIT, 9, commit),
                frame(ApiKeys.OFFSET_FETCH, 9, committed),
                frame(ApiKeys.CONSUMER_GROUP_HEARTBEAT, 1, join.duplicate().setMemberEpoch(-1)),
                frame(ApiKeys.JOIN_GROUP, 3, classic),
                frame(ApiKeys.DELETE_GROUPS, 2, new DeleteGroupsRequestData().setGroupsNames(List.of("g"))));
    }

    private static byte[] seed(byte[]... frames) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(MEND_CRC);
        for (byte[] frame : frames) {
            bytes.write(frame.length >> 8);
            bytes.write(frame.length);
            bytes.writeBytes(frame);
        }
        return bytes.toByteArray();
    }

    static byte[] frame(ApiKeys api, int version, ApiMessage message) {
        byte[] framed = RawKafkaClient.frame(api, version, 7, message);
        return Arrays.copyOfRange(framed, Integer.BYTES, framed.length);
    }
}
