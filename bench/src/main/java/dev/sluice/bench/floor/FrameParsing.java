package dev.sluice.bench.floor;

import dev.sluice.broker.protocol.FetchPlan;
import dev.sluice.broker.protocol.FetchRequest;
import dev.sluice.broker.protocol.NameCache;
import dev.sluice.broker.protocol.ProduceRequest;
import dev.sluice.broker.protocol.RequestHead;
import dev.sluice.broker.protocol.WireReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Heads of Produce and Fetch requests, by our parsers and by kafka-clients' (which also makes an object of each part).
/// Topics have names that were seen before, records are not touched.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FrameParsing {
    private static final short VERSION = 12;
    private static final int RECORDS_BYTES = 1024;

    @Param({"1", "12"})
    public int partitions;

    private final NameCache names = new NameCache(64);
    private final RequestHead head = new RequestHead();
    private final WireReader reader = new WireReader();
    private final ProduceRequest produce = new ProduceRequest(names);
    private final FetchPlan plan = new FetchPlan();
    private MemorySegment produceFrame = MemorySegment.NULL;
    private MemorySegment fetchFrame = MemorySegment.NULL;
    private int produceBody;
    private int fetchBody;

    @Setup
    public void frames() {
        ProduceRequestData.TopicProduceData produced =
                new ProduceRequestData.TopicProduceData().setName("orders").setTopicId(Uuid.ZERO_UUID);
        FetchRequestData.FetchTopic fetched =
                new FetchRequestData.FetchTopic().setTopic("orders").setTopicId(Uuid.ZERO_UUID);
        for (int partition = 0; partition < partitions; partition++) {
            produced.partitionData()
                    .add(new ProduceRequestData.PartitionProduceData()
                            .setIndex(partition)
                            .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(RECORDS_BYTES))));
            fetched.partitions()
                    .add(new FetchRequestData.FetchPartition()
                            .setPartition(partition)
                            .setPartitionMaxBytes(1 << 20));
        }
        ProduceRequestData producing =
                new ProduceRequestData().setAcks((short) 1).setTimeoutMs(30_000);
        producing.topicData().add(produced);
        FetchRequestData fetching = new FetchRequestData().setMaxBytes(1 << 20).setMinBytes(1);
        fetching.topics().add(fetched);
        produceBody = header(ApiKeys.PRODUCE).capacity();
        fetchBody = header(ApiKeys.FETCH).capacity();
        produceFrame = frame(ApiKeys.PRODUCE, producing);
        fetchFrame = frame(ApiKeys.FETCH, fetching);
    }

    private static ByteBuffer header(ApiKeys api) {
        return written(
                new RequestHeaderData()
                        .setRequestApiKey(api.id)
                        .setRequestApiVersion(VERSION)
                        .setClientId("bench"),
                api.requestHeaderVersion(VERSION));
    }

    private static ByteBuffer written(Message message, short version) {
        ObjectSerializationCache sizes = new ObjectSerializationCache();
        ByteBuffer bytes = ByteBuffer.allocate(message.size(sizes, version));
        message.write(new ByteBufferAccessor(bytes), sizes, version);
        return bytes.flip();
    }

    private static MemorySegment frame(ApiKeys api, Message body) {
        ByteBuffer head = header(api);
        ByteBuffer rest = written(body, VERSION);
        MemorySegment frame = Arena.ofAuto().allocate((long) head.limit() + rest.limit());
        MemorySegment.copy(MemorySegment.ofBuffer(head), 0, frame, 0, head.limit());
        MemorySegment.copy(MemorySegment.ofBuffer(rest), 0, frame, head.limit(), rest.limit());
        return frame;
    }

    @Benchmark
    public long produceBySluice() {
        reader.over(produceFrame, 0, produceFrame.byteSize());
        head.parse(reader);
        produce.wrap(reader, head.apiVersion());
        long sum = 0;
        while (produce.nextTopic()) {
            while (produce.nextPartition()) {
                sum += produce.partitionIndex() + produce.recordsPosition();
            }
        }
        return sum;
    }

    @Benchmark
    public Object produceByKafka() {
        return new ProduceRequestData(
                new ByteBufferAccessor(produceFrame.asByteBuffer().position(produceBody)), VERSION);
    }

    @Benchmark
    public FetchPlan fetchBySluice() {
        reader.over(fetchFrame, 0, fetchFrame.byteSize());
        head.parse(reader);
        FetchRequest.parse(reader, head.apiVersion(), names, plan);
        return plan;
    }

    @Benchmark
    public Object fetchByKafka() {
        return new FetchRequestData(
                new ByteBufferAccessor(fetchFrame.asByteBuffer().position(fetchBody)), VERSION);
    }
}
