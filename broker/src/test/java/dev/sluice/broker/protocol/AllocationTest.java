package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Requests whose topics were seen before are parsed, and answered, without garbage.
class AllocationTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int ROUNDS = 20_000;

    /// What reading the counter itself may cost; one object a round would be 16 bytes × ROUNDS at least.
    private static final long NOISE_BYTES = 4096;

    private final SlabPool pool = new SlabPool();
    private final NameCache names = new NameCache(64);
    private final RequestHead head = new RequestHead();
    private final WireReader reader = new WireReader();
    private final ProduceRequest produce = new ProduceRequest(names);
    private final ProduceResponseWriter produceAnswer = new ProduceResponseWriter(pool);
    private final FetchPlan plan = new FetchPlan();
    private final FetchResponseWriter fetchAnswer = new FetchResponseWriter(pool);

    private static RequestHeaderData header(ApiKeys api, int version) {
        return new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion((short) version)
                .setClientId("client-1");
    }

    private static MemorySegment produceFrame(int version) {
        var data = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(30_000);
        for (int t = 0; t < 3; t++) {
            var topic = new ProduceRequestData.TopicProduceData();
            topic = version >= 13 ? topic.setTopicId(new Uuid(7, t)) : topic.setName("orders-" + t);
            for (int p = 0; p < 4; p++) {
                topic.partitionData()
                        .add(new ProduceRequestData.PartitionProduceData()
                                .setIndex(p)
                                .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(1000))));
            }
            data.topicData().add(topic);
        }
        byte[] bytes = KafkaMessages.request(header(ApiKeys.PRODUCE, version), data);
        return KafkaMessages.memory(bytes, 0, bytes.length);
    }

    private static MemorySegment fetchFrame(int version) {
        var data = new FetchRequestData().setRackId("rack-1");
        for (int t = 0; t < 3; t++) {
            var topic =
                    new FetchRequestData.FetchTopic().setTopic("orders-" + t).setTopicId(new Uuid(7, t));
            topic.setPartitions(List.of(
                    new FetchRequestData.FetchPartition().setPartition(0),
                    new FetchRequestData.FetchPartition().setPartition(1)));
            data.topics().add(topic);
        }
        byte[] bytes = KafkaMessages.request(header(ApiKeys.FETCH, version), data);
        return KafkaMessages.memory(bytes, 0, bytes.length);
    }

    private static long allocatedBytes(Runnable work) {
        for (int i = 0; i < ROUNDS; i++) {
            work.run();
        }
        long before = THREADS.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ROUNDS; i++) {
            work.run();
        }
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 8, 9, 12, 13})
    void produceMakesNoGarbage(int version) {
        MemorySegment frame = produceFrame(version);
        assertThat(allocatedBytes(() -> answerProduce(frame))).isLessThan(NOISE_BYTES);
        assertThat(pool.taken()).isZero();
    }

    private void answerProduce(MemorySegment frame) {
        head.parse(reader.over(frame, KafkaMessages.OFFSET, frame.byteSize()));
        head.clientId(names);
        produce.wrap(reader, head.apiVersion());
        produceAnswer.begin(head.correlationId(), head.apiVersion(), produce.topicCount());
        while (produce.nextTopic()) {
            if (produce.isByTopicId()) {
                produceAnswer.topic(produce.topicIdHigh(), produce.topicIdLow(), produce.partitionCount());
            } else {
                produceAnswer.topic(produce.topicName(), produce.partitionCount());
            }
            while (produce.nextPartition()) {
                produceAnswer.partition(
                        produce.partitionIndex(), (short) 0, produce.recordsPosition(), -1, 0, null, List.of());
            }
        }
        pool.give(produceAnswer.end(0));
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 11, 12, 13, 18})
    void fetchMakesNoGarbage(int version) {
        MemorySegment frame = fetchFrame(version);
        assertThat(allocatedBytes(() -> answerFetch(frame))).isLessThan(NOISE_BYTES);
        assertThat(pool.taken()).isZero();
    }

    private void answerFetch(MemorySegment frame) {
        head.parse(reader.over(frame, KafkaMessages.OFFSET, frame.byteSize()));
        FetchRequest.parse(reader, head.apiVersion(), names, plan);
        fetchAnswer.begin(head.correlationId(), plan.version(), 0, (short) 0, 0, plan.topicCount());
        for (int t = 0; t < plan.topicCount(); t++) {
            int partitions = plan.endPartition(t) - plan.firstPartition(t);
            if (plan.isByTopicId()) {
                fetchAnswer.topic(plan.topicIdHigh(t), plan.topicIdLow(t), partitions);
            } else {
                fetchAnswer.topic(plan.topicName(t), partitions);
            }
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                fetchAnswer.partition(plan.partitionIndex(p), (short) 0, 9, 9, 0, -1, plan.isReadCommitted(), 500);
            }
        }
        pool.give(fetchAnswer.end());
    }

    @Test
    void aFrameInPiecesMakesNoGarbage() {
        MemorySegment frame = produceFrame(9);
        assertThat(allocatedBytes(() -> walkInPieces(frame))).isLessThan(NOISE_BYTES);
    }

    private void walkInPieces(MemorySegment frame) {
        reader.over(frame, KafkaMessages.OFFSET, frame.byteSize());
        long received = KafkaMessages.OFFSET;
        while (!head.parse(reader, received)) {
            received += 10;
        }
        produce.begin(reader, head.apiVersion());
        ProduceRequest.Step step = produce.advance(received);
        while (step != ProduceRequest.Step.END) {
            if (step == ProduceRequest.Step.STARVED) {
                received = produce.neededEnd();
            }
            step = produce.advance(received);
        }
    }

    /// The measure sees what it is there to see.
    @Test
    void aNameThatIsNewEachTimeShows() {
        MemorySegment frame = produceFrame(9);
        assertThat(allocatedBytes(() -> {
                    reader.over(frame, KafkaMessages.OFFSET, frame.byteSize());
                    head.parse(reader);
                    new ProduceRequest(new NameCache(1)).wrap(reader, head.apiVersion());
                }))
                .isGreaterThan(16L * ROUNDS);
    }
}
