package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.partition.Partition;
import dev.sluice.log.EpochEnd;
import dev.sluice.log.PartitionLog;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// OffsetForLeaderEpoch: where an epoch ended, so that a consumer learns whether what it has read was cut off since.
final class OffsetForLeaderEpochHandler extends MessageHandler<OffsetForLeaderEpochRequestData> {
    private static final short FIRST_FLEXIBLE_VERSION = 4;

    /// Before it, nobody says what epoch he believes to be the current one.
    private static final short FIRST_WITH_CURRENT_EPOCH = 2;

    OffsetForLeaderEpochHandler(Services services) {
        super(ApiKeys.OFFSET_FOR_LEADER_EPOCH, services);
    }

    @Override
    public int largestFrameBytes() {
        return Dispatcher.LARGEST_FRAME_OF_PARTITIONS_BYTES;
    }

    @Override
    BodyScan scan(short version, ByteBuffer body) {
        boolean flexible = version >= FIRST_FLEXIBLE_VERSION;
        if (version >= 3) {
            body.position(Math.min(body.limit(), Integer.BYTES)); // the replica's id
        }
        int partitionBytes = (version >= FIRST_WITH_CURRENT_EPOCH ? 3 : 2) * Integer.BYTES;
        return new NamedTopicsScan(body.slice(), flexible, false, scan -> {
            for (int left = scan.reader.readCount("partitions", flexible, partitionBytes); left > 0; left--) {
                scan.reader.skip("partition", partitionBytes);
                scan.skipTags();
            }
        });
    }

    @Override
    void handle(OffsetForLeaderEpochRequestData body, Exchange exchange) {
        CatalogueImage image = services.catalogue().image();
        OffsetForLeaderTopicResultCollection answers = new OffsetForLeaderTopicResultCollection(
                Collisions.room(body.topics().size()));
        for (OffsetForLeaderTopic asked : body.topics()) {
            Topic topic = image.topic(asked.topic());
            List<EpochEndOffset> ends = new ArrayList<>(asked.partitions().size());
            asked.partitions().forEach(partition -> ends.add(answer(topic, partition)));
            answers.add(new OffsetForLeaderTopicResult().setTopic(asked.topic()).setPartitions(ends));
        }
        exchange.answer(new OffsetForLeaderEpochResponseData().setTopics(answers));
    }

    private static EpochEndOffset answer(@Nullable Topic topic, OffsetForLeaderPartition asked) {
        EpochEndOffset answer = new EpochEndOffset()
                .setPartition(asked.partition())
                .setLeaderEpoch(EpochEnd.UNKNOWN.epoch())
                .setEndOffset(EpochEnd.UNKNOWN.endOffset());
        Partition partition = topic == null ? null : topic.partition(asked.partition());
        if (partition == null) {
            return answer.setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code());
        }
        PartitionLog log = partition.log();
        int current = asked.currentLeaderEpoch();
        if (current >= 0 && current != log.leaderEpoch()) {
            Errors error = current < log.leaderEpoch() ? Errors.FENCED_LEADER_EPOCH : Errors.UNKNOWN_LEADER_EPOCH;
            return answer.setErrorCode(error.code());
        }
        EpochEnd end = log.endOfEpoch(asked.leaderEpoch());
        return answer.setLeaderEpoch(end.epoch()).setEndOffset(end.endOffset());
    }
}
