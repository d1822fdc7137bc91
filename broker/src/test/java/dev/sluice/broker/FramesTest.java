package dev.sluice.broker;

import static dev.sluice.broker.TestClient.ALL;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.RawKafkaClient;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How bytes become requests, however they come, and which bytes end a connection.
@ExtendWith(LeakCounter.class)
class FramesTest {
    private static final int LARGEST_REQUEST_BYTES = 20_000;

    private static TestBroker broker;
    private static TestClient witness;
    private static TopicRef topic;
    private TestClient client;

    @BeforeAll
    static void start(@TempDir Path folder) throws IOException {
        broker = TestBroker.start(
                folder.resolve("data"),
                "socket.request.max.bytes",
                Integer.toString(LARGEST_REQUEST_BYTES),
                "num.network.threads",
                "1");
        witness = broker.client();
        topic = witness.create("topic", 1);
    }

    @BeforeEach
    void connect() throws IOException {
        client = broker.client();
    }

    @AfterEach
    void theWitnessNoticedNothing() throws IOException {
        client.close();
        assertThat(witness.metadata("topic").topics()).hasSize(1);
    }

    @AfterAll
    static void stop() throws IOException {
        witness.close();
        broker.close();
    }

    static List<ApiKeys> offered() {
        return SampleRequests.OFFERED;
    }

    @Test
    void thereIsASampleOfEveryApiThatIsOffered() throws IOException {
        ApiVersionsResponseData answer = witness.raw.ask(
                ApiKeys.API_VERSIONS,
                3,
                SampleRequests.of(ApiKeys.API_VERSIONS, 3, topic),
                ApiVersionsResponseData.class);

        assertThat(answer.apiKeys())
                .extracting(offered -> ApiKeys.forId(offered.apiKey()))
                .containsExactlyInAnyOrderElementsOf(offered());
    }

    // ---- However they come

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void requestsThatComeInCrumbsAreAnswered(int crumbBytes) throws IOException {
        for (ApiKeys api : offered()) {
            int version = SampleRequests.newest(api);
            byte[] whole = RawKafkaClient.frame(api, version, 4711, SampleRequests.of(api, version, topic));
            client.raw.dribble(whole, crumbBytes);

            assertThat(client.raw.readFrame().getInt()).as(api.name).isEqualTo(4711);
        }
    }

    @Test
    void aBatchThatComesByteByByteIsStoredWhole() throws IOException {
        byte[] batch = Batches.of("slowly", "but surely").bytes();
        long before = client.endOffset(topic, 0);
        ApiMessage request = TestClient.produceRequest(13, ALL, topic, 0, batch);
        client.raw.dribble(RawKafkaClient.frame(ApiKeys.PRODUCE, 13, 1, request), 1);

        var answer = client.raw.answer(ApiKeys.PRODUCE, 13, 1, ProduceResponseData.class);
        assertThat(TestClient.only(answer).baseOffset()).isEqualTo(before);
        assertThat(client.read(topic, 0, before)).isEqualTo(Batches.stored(batch, before, 0));
    }

    @Test
    void manyRequestsInOneSendAreAnsweredInTheirOrder() throws IOException {
        ByteArrayOutputStream burst = new ByteArrayOutputStream();
        byte[] batch = Batches.of("burst").bytes();
        long before = client.endOffset(topic, 0);
        int rounds = 200;
        for (int i = 0; i < rounds; i++) {
            burst.writeBytes(RawKafkaClient.frame(
                    ApiKeys.PRODUCE, 13, 4 * i, TestClient.produceRequest(13, ALL, topic, 0, batch)));
            burst.writeBytes(RawKafkaClient.frame(
                    ApiKeys.FETCH, 13, 4 * i + 1, TestClient.fetchRequest(13, topic, 0, before + i)));
            // Searches by time and the making of topics are answered by other threads.
            burst.writeBytes(RawKafkaClient.frame(
                    ApiKeys.LIST_OFFSETS, 8, 4 * i + 2, SampleRequests.of(ApiKeys.LIST_OFFSETS, 8, topic)));
            burst.writeBytes(RawKafkaClient.frame(
                    ApiKeys.CREATE_TOPICS, 7, 4 * i + 3, SampleRequests.of(ApiKeys.CREATE_TOPICS, 7, topic)));
        }
        client.raw.sendBytes(burst.toByteArray());

        for (int i = 0; i < rounds; i++) {
            assertThat(TestClient.only(client.raw.answer(ApiKeys.PRODUCE, 13, 4 * i, ProduceResponseData.class))
                            .baseOffset())
                    .isEqualTo(before + i);
            assertThat(TestClient.bytes(
                            TestClient.only(client.raw.answer(ApiKeys.FETCH, 13, 4 * i + 1, FetchResponseData.class))
                                    .records()))
                    .isEqualTo(Batches.stored(batch, before + i, 0));
            client.raw.answer(ApiKeys.LIST_OFFSETS, 8, 4 * i + 2, ListOffsetsResponseData.class);
            client.raw.answer(ApiKeys.CREATE_TOPICS, 7, 4 * i + 3, CreateTopicsResponseData.class);
        }
    }

    @Test
    void requestsWithoutAnswersBetweenOthersDontDisturbTheirOrder() throws IOException {
        ByteArrayOutputStream burst = new ByteArrayOutputStream();
        byte[] batch = Batches.of("quiet").bytes();
        long before = client.endOffset(topic, 0);
        for (int i = 0; i < 50; i++) {
            burst.writeBytes(RawKafkaClient.frame(
                    ApiKeys.PRODUCE, 13, 1000 + i, TestClient.produceRequest(13, (short) 0, topic, 0, batch)));
            burst.writeBytes(
                    RawKafkaClient.frame(ApiKeys.PRODUCE, 13, i, TestClient.produceRequest(13, ALL, topic, 0, batch)));
        }
        client.raw.sendBytes(burst.toByteArray());

        for (int i = 0; i < 50; i++) {
            assertThat(TestClient.only(client.raw.answer(ApiKeys.PRODUCE, 13, i, ProduceResponseData.class))
                            .baseOffset())
                    .isEqualTo(before + 2L * i + 1);
        }
    }

    @Test
    void requestsSentBeforeTheirSenderClosedItsSideAreAllAnswered() throws IOException {
        for (int i = 0; i < 20; i++) {
            client.raw.sendBytes(RawKafkaClient.frame(
                    ApiKeys.LIST_OFFSETS, 8, i, SampleRequests.of(ApiKeys.LIST_OFFSETS, 8, topic)));
        }
        client.raw.shutdownOutput();

        for (int i = 0; i < 20; i++) {
            assertThat(client.raw.readFrame().getInt()).isEqualTo(i);
        }
        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    @Test
    void aRequestOfExactlyTheLargestSizeIsTaken() throws IOException {
        int overhead = RawKafkaClient.frame(
                                ApiKeys.PRODUCE,
                                13,
                                1,
                                TestClient.produceRequest(
                                        13,
                                        ALL,
                                        topic,
                                        0,
                                        Batches.of("x".repeat(18_000)).bytes()))
                        .length
                - 18_000;
        byte[] batch =
                Batches.of("x".repeat(LARGEST_REQUEST_BYTES + 4 - overhead)).bytes();
        byte[] frame =
                RawKafkaClient.frame(ApiKeys.PRODUCE, 13, 1, TestClient.produceRequest(13, ALL, topic, 0, batch));
        assertThat(frame).hasSize(LARGEST_REQUEST_BYTES + 4);
        client.raw.sendBytes(frame);

        assertThat(Errors.forCode(TestClient.only(client.raw.answer(ApiKeys.PRODUCE, 13, 1, ProduceResponseData.class))
                        .errorCode()))
                .isEqualTo(Errors.NONE);
    }

    // ---- What ends a connection

    @ParameterizedTest
    @ValueSource(ints = {LARGEST_REQUEST_BYTES + 1, Integer.MAX_VALUE, -1, Integer.MIN_VALUE})
    void aSizeThatIsNotAllowedEndsTheConnectionBeforeItsBytesCome(int size) throws IOException {
        client.raw.sendBytes(ByteBuffer.allocate(4).putInt(size).array());

        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    @Test
    void anEmptyFrameEndsTheConnection() throws IOException {
        client.raw.sendBytes(new byte[4]);

        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(shorts = {-1, Short.MIN_VALUE, Short.MAX_VALUE, 19_999, 20_001})
    void anApiThatNobodyKnowsEndsTheConnection(short key) throws IOException {
        client.raw.sendBytes(head(key, 0));

        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(ApiKeys.class)
    void anApiThatIsNotOfferedEndsTheConnection(ApiKeys api) throws IOException {
        if (offered().contains(api)) {
            return;
        }
        client.raw.sendBytes(head(api.id, api.hasValidVersion() ? api.latestVersion() : 0));

        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    static Stream<Arguments> versionsThatAreNotOffered() {
        return offered().stream()
                .filter(api -> api != ApiKeys.API_VERSIONS)
                .flatMap(api -> Stream.of(
                        Arguments.of(api, api.oldestVersion() - 1),
                        Arguments.of(api, SampleRequests.newest(api) + 1),
                        Arguments.of(api, Short.MAX_VALUE),
                        Arguments.of(api, Short.MIN_VALUE)));
    }

    @ParameterizedTest
    @MethodSource("versionsThatAreNotOffered")
    void aVersionThatIsNotOfferedEndsTheConnection(ApiKeys api, int version) throws IOException {
        client.raw.sendBytes(head(api.id, version));

        assertThat(client.raw.readUntilClosed()).isEmpty();
    }

    /// A request's head, and enough zeros behind it for any body.
    private static byte[] head(int key, int version) {
        ByteBuffer content = ByteBuffer.allocate(200)
                .putShort((short) key)
                .putShort((short) version)
                .putInt(1)
                .putShort((short) -1);
        return RawKafkaClient.framed(content.array());
    }

    // ---- ApiVersions

    @ParameterizedTest
    @ValueSource(ints = {5, 6, 99, Short.MAX_VALUE})
    void aVersionOfApiVersionsFromTheFutureIsToldWhatThereIs(int version) throws IOException {
        ByteBuffer content = ByteBuffer.allocate(30)
                .putShort(ApiKeys.API_VERSIONS.id)
                .putShort((short) version)
                .putInt(77)
                .putShort((short) -1)
                .put(new byte[20]); // no body that this broker understands
        client.raw.sendBytes(RawKafkaClient.framed(content.array()));

        var answer = RawKafkaClient.parse(
                ApiKeys.API_VERSIONS, 0, 77, client.raw.readFrame(), ApiVersionsResponseData.class);
        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.UNSUPPORTED_VERSION);
        assertThat(answer.apiKeys().find(ApiKeys.API_VERSIONS.id).maxVersion())
                .isEqualTo((short) SampleRequests.newest(ApiKeys.API_VERSIONS));
        // The connection goes on, so that the client can ask again.
        assertThat(client.endOffset(topic, 0)).isNotNegative();
    }

    @Test
    void apiVersionsTellsWhatIsOffered() throws IOException {
        for (int version : TestClient.versions(ApiKeys.API_VERSIONS)) {
            var answer = client.raw.ask(
                    ApiKeys.API_VERSIONS,
                    version,
                    SampleRequests.of(ApiKeys.API_VERSIONS, version, topic),
                    ApiVersionsResponseData.class);

            assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.NONE);
            List<String> told = new ArrayList<>();
            for (ApiVersion each : answer.apiKeys()) {
                told.add(ApiKeys.forId(each.apiKey()) + " " + each.minVersion() + " " + each.maxVersion());
            }
            // Produce from 0, though 0 to 2 are refused: or librdkafka takes the broker for one that can't compress.
            assertThat(told)
                    .containsExactlyInAnyOrderElementsOf(offered().stream()
                            .map(api -> api + " " + (api == ApiKeys.PRODUCE ? 0 : api.oldestVersion()) + " "
                                    + SampleRequests.newest(api))
                            .toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "-", "a b", "a_b", "a-", "ä"})
    void aClientWhoseNameIsNoWordIsRefused(String name) throws IOException {
        var answer = client.raw.ask(
                ApiKeys.API_VERSIONS,
                4,
                new ApiVersionsRequestData().setClientSoftwareName(name).setClientSoftwareVersion("1"),
                ApiVersionsResponseData.class);

        assertThat(Errors.forCode(answer.errorCode())).isEqualTo(Errors.INVALID_REQUEST);
    }
}
