package dev.sluice.broker.protocol;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.record.internal.MemoryRecords;

/// Messages with random contents, written by kafka-clients.
final class KafkaMessages {
    private KafkaMessages() {}

    static ProduceRequestData produceRequest(Random random, int version) {
        boolean flexible = version >= 9;
        ProduceRequestData data = new ProduceRequestData()
                .setTransactionalId(random.nextBoolean() ? null : name(random))
                .setAcks((short) random.nextInt())
                .setTimeoutMs(random.nextInt());
        for (int topics = few(random); topics > 0; topics--) {
            var topic = new ProduceRequestData.TopicProduceData();
            if (version >= 13) {
                topic.setTopicId(uuid(random));
            } else {
                topic.setName(name(random));
            }
            for (int partitions = few(random); partitions > 0; partitions--) {
                var partition = new ProduceRequestData.PartitionProduceData()
                        .setIndex(random.nextInt())
                        .setRecords(random.nextInt(8) == 0 ? null : records(random));
                addTags(random, flexible, partition.unknownTaggedFields());
                topic.partitionData().add(partition);
            }
            addTags(random, flexible, topic.unknownTaggedFields());
            data.topicData().add(topic);
        }
        addTags(random, flexible, data.unknownTaggedFields());
        return data;
    }

    static FetchRequestData fetchRequest(Random random, int version) {
        boolean flexible = version >= 12;
        FetchRequestData data = new FetchRequestData()
                .setMaxWaitMs(random.nextInt())
                .setMinBytes(random.nextInt())
                .setMaxBytes(random.nextInt())
                .setIsolationLevel((byte) random.nextInt())
                .setSessionId(random.nextInt())
                .setSessionEpoch(random.nextInt())
                .setRackId(random.nextBoolean() ? "" : name(random));
        if (flexible && random.nextBoolean()) {
            data.setClusterId(name(random));
        }
        if (version <= 14) {
            data.setReplicaId(random.nextInt());
        } else if (random.nextBoolean()) {
            var state = new FetchRequestData.ReplicaState()
                    .setReplicaId(random.nextInt())
                    .setReplicaEpoch(random.nextLong());
            addTags(random, true, state.unknownTaggedFields());
            data.setReplicaState(state);
        }
        for (int topics = few(random); topics > 0; topics--) {
            var topic = new FetchRequestData.FetchTopic().setTopic(name(random)).setTopicId(uuid(random));
            for (int partitions = few(random); partitions > 0; partitions--) {
                topic.partitions().add(fetchPartition(random, version));
            }
            addTags(random, flexible, topic.unknownTaggedFields());
            data.topics().add(topic);
        }
        for (int topics = version >= 7 ? few(random) : 0; topics > 0; topics--) {
            var topic =
                    new FetchRequestData.ForgottenTopic().setTopic(name(random)).setTopicId(uuid(random));
            for (int partitions = few(random); partitions > 0; partitions--) {
                topic.partitions().add(random.nextInt());
            }
            addTags(random, flexible, topic.unknownTaggedFields());
            data.forgottenTopicsData().add(topic);
        }
        addTags(random, flexible, data.unknownTaggedFields());
        return data;
    }

    private static FetchRequestData.FetchPartition fetchPartition(Random random, int version) {
        var partition = new FetchRequestData.FetchPartition()
                .setPartition(random.nextInt())
                .setCurrentLeaderEpoch(random.nextInt())
                .setFetchOffset(random.nextLong())
                .setLastFetchedEpoch(version >= 12 ? random.nextInt() : -1)
                .setLogStartOffset(random.nextLong())
                .setPartitionMaxBytes(random.nextInt());
        if (random.nextBoolean()) {
            partition.setReplicaDirectoryId(uuid(random)).setHighWatermark(random.nextLong());
        }
        addTags(random, version >= 12, partition.unknownTaggedFields());
        return partition;
    }

    /// A few times none, rarely many.
    private static int few(Random random) {
        return random.nextInt(20) == 0 ? 130 : random.nextInt(4);
    }

    /// Mostly like a topic's; sometimes empty, beyond ASCII, or as long as a string can be.
    static String name(Random random) {
        return switch (random.nextInt(40)) {
            case 0 -> "";
            case 1 -> "th\u00eame-\u8a71\u984c-\ud83d\udc1f".repeat(1 + random.nextInt(3));
            case 2 -> "x".repeat(249);
            case 3 -> "y".repeat(250);
            case 4 -> "z".repeat(Short.MAX_VALUE);
            case 5 -> "\u0080"; // the first that is not ASCII
            default -> "topic-" + Integer.toString(random.nextInt(1 << random.nextInt(31)), 36);
        };
    }

    static Uuid uuid(Random random) {
        return new Uuid(random.nextLong(), random.nextLong());
    }

    /// Bytes that nobody takes for records: the codec doesn't look at them.
    static MemoryRecords records(Random random) {
        byte[] bytes = new byte[random.nextInt(10) == 0 ? 0 : random.nextInt(1 << random.nextInt(10))];
        random.nextBytes(bytes);
        return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
    }

    private static void addTags(Random random, boolean flexible, List<RawTaggedField> tags) {
        if (flexible && random.nextInt(4) == 0) {
            int tag = 50;
            for (int left = 1 + random.nextInt(3); left > 0; left--) {
                byte[] bytes = new byte[random.nextInt(200)];
                random.nextBytes(bytes);
                tag += 1 + random.nextInt(1000);
                tags.add(new RawTaggedField(tag, bytes));
            }
        }
    }

    static RequestHeaderData header(Random random, ApiKeys api, int version) {
        var header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion((short) version)
                .setCorrelationId(random.nextInt())
                .setClientId(random.nextInt(4) == 0 ? null : name(random));
        addTags(random, api.requestHeaderVersion((short) version) >= 2, header.unknownTaggedFields());
        return header;
    }

    /// The bytes of a request behind its size.
    static byte[] request(RequestHeaderData header, Message body) {
        short version = header.requestApiVersion();
        short headerVersion = ApiKeys.forId(header.requestApiKey()).requestHeaderVersion(version);
        var bytes = new ByteArrayOutputStream();
        bytes.writeBytes(bytes(header, headerVersion));
        bytes.writeBytes(bytes(body, version));
        return bytes.toByteArray();
    }

    static byte[] bytes(Message message, int version) {
        return MessageUtil.toByteBufferAccessor(message, (short) version)
                .buffer()
                .array();
    }

    /// Off-heap memory that ends where the bytes end, so that a read past them is an IndexOutOfBoundsException;
    /// they don't begin at 0.
    static MemorySegment memory(byte[] bytes, int from, int to) {
        MemorySegment memory = Arena.ofAuto().allocate(OFFSET + to - from);
        MemorySegment.copy(bytes, from, memory, Wire.INT8, OFFSET, to - from);
        return memory;
    }

    /// Where bytes begin in [#memory]: odd, so that nothing is aligned.
    static final int OFFSET = 3;

    static WireReader reader(byte[] bytes) {
        return reader(bytes, 0, bytes.length);
    }

    static WireReader reader(byte[] bytes, int from, int to) {
        MemorySegment memory = memory(bytes, from, to);
        return new WireReader().over(memory, OFFSET, memory.byteSize());
    }

    static List<Integer> versions(ApiKeys api) {
        var versions = new ArrayList<Integer>();
        for (int version = api.oldestVersion(); version <= api.latestVersion(); version++) {
            versions.add(version);
        }
        return versions;
    }
}
