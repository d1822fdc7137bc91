package dev.sluice.broker.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/// What a parser understood, in the same words for Kafka's and for ours.
final class Descriptions {
    private Descriptions() {}

    static List<String> of(ProduceRequestData data) {
        var lines = new ArrayList<String>();
        lines.add("transactional=" + (data.transactionalId() != null) + " acks=" + data.acks() + " timeoutMs="
                + data.timeoutMs() + " topics=" + data.topicData().size());
        data.topicData().forEach(topic -> {
            lines.add(topic(topic.name(), topic.topicId()) + " partitions="
                    + topic.partitionData().size());
            topic.partitionData()
                    .forEach(partition -> lines.add("partition=" + partition.index() + " records="
                            + digest((MemoryRecords) partition.records())));
        });
        return lines;
    }

    /// Walks a wrapped request to its end.
    static List<String> of(ProduceRequest request, MemorySegment memory) {
        var lines = new ArrayList<String>();
        lines.add(head(request));
        while (request.nextTopic()) {
            lines.add(topic(request));
            while (request.nextPartition()) {
                lines.add(partition(request, memory));
            }
        }
        return lines;
    }

    static String head(ProduceRequest request) {
        return "transactional=" + request.isTransactional() + " acks=" + request.acks() + " timeoutMs="
                + request.timeoutMs() + " topics=" + request.topicCount();
    }

    static String topic(ProduceRequest request) {
        return (request.isByTopicId()
                        ? topic("", new Uuid(request.topicIdHigh(), request.topicIdLow()))
                        : topic(request.topicName(), Uuid.ZERO_UUID))
                + " partitions=" + request.partitionCount();
    }

    static String partition(ProduceRequest request, MemorySegment memory) {
        return "partition=" + request.partitionIndex() + " records="
                + (request.recordsLengthBytes() < 0
                        ? "null"
                        : digest(memory.asSlice(request.recordsPosition(), request.recordsLengthBytes())
                                .toArray(ValueLayout.JAVA_BYTE)));
    }

    static List<String> of(FetchRequestData data) {
        var lines = new ArrayList<String>();
        int replicaId =
                data.replicaId() != -1 ? data.replicaId() : data.replicaState().replicaId();
        lines.add("replica=" + replicaId + " epoch=" + data.replicaState().replicaEpoch() + " maxWaitMs="
                + data.maxWaitMs() + " minBytes=" + data.minBytes() + " maxBytes=" + data.maxBytes() + " isolation="
                + data.isolationLevel() + " session=" + data.sessionId() + " sessionEpoch=" + data.sessionEpoch()
                + " rack=" + data.rackId() + " cluster=" + data.clusterId());
        data.topics().forEach(topic -> {
            lines.add(topic(topic.topic(), topic.topicId()) + " partitions="
                    + topic.partitions().size());
            topic.partitions()
                    .forEach(partition -> lines.add(partition(
                            partition.partition(),
                            partition.currentLeaderEpoch(),
                            partition.fetchOffset(),
                            partition.lastFetchedEpoch(),
                            partition.logStartOffset(),
                            partition.partitionMaxBytes())));
        });
        data.forgottenTopicsData()
                .forEach(topic ->
                        lines.add("forgotten " + topic(topic.topic(), topic.topicId()) + " " + topic.partitions()));
        return lines;
    }

    static List<String> of(FetchPlan plan) {
        var lines = new ArrayList<String>();
        lines.add("replica=" + plan.replicaId() + " epoch=" + plan.replicaEpoch() + " maxWaitMs=" + plan.maxWaitMs()
                + " minBytes=" + plan.minBytes() + " maxBytes=" + plan.maxBytes() + " isolation="
                + plan.isolationLevel() + " session=" + plan.sessionId() + " sessionEpoch=" + plan.sessionEpoch()
                + " rack=" + plan.rackId() + " cluster=" + plan.clusterId());
        for (int t = 0; t < plan.topicCount(); t++) {
            lines.add(topic(plan.topicName(t), new Uuid(plan.topicIdHigh(t), plan.topicIdLow(t))) + " partitions="
                    + (plan.endPartition(t) - plan.firstPartition(t)));
            for (int p = plan.firstPartition(t); p < plan.endPartition(t); p++) {
                lines.add(partition(
                        plan.partitionIndex(p),
                        plan.currentLeaderEpoch(p),
                        plan.fetchOffset(p),
                        plan.lastFetchedEpoch(p),
                        plan.logStartOffset(p),
                        plan.partitionMaxBytes(p)));
            }
        }
        for (int t = 0; t < plan.forgottenTopicCount(); t++) {
            var partitions = new ArrayList<Integer>();
            for (int p = plan.firstForgottenPartition(t); p < plan.endForgottenPartition(t); p++) {
                partitions.add(plan.forgottenPartitionIndex(p));
            }
            lines.add("forgotten "
                    + topic(
                            plan.forgottenTopicName(t),
                            new Uuid(plan.forgottenTopicIdHigh(t), plan.forgottenTopicIdLow(t)))
                    + " " + partitions);
        }
        return lines;
    }

    private static String partition(
            int index, int leaderEpoch, long offset, int lastEpoch, long logStartOffset, int maxBytes) {
        return "partition=" + index + " leaderEpoch=" + leaderEpoch + " offset=" + offset + " lastEpoch=" + lastEpoch
                + " logStartOffset=" + logStartOffset + " maxBytes=" + maxBytes;
    }

    private static String topic(String name, Uuid id) {
        return "topic=" + name + " id=" + id;
    }

    private static String digest(@Nullable MemoryRecords records) {
        if (records == null) {
            return "null";
        }
        ByteBuffer buffer = records.buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return digest(bytes);
    }

    private static String digest(byte[] bytes) {
        return bytes.length + " bytes, hash " + Arrays.hashCode(bytes);
    }
}
