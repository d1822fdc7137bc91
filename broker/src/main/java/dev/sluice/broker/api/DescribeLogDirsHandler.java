package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.partition.Partition;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import org.apache.kafka.common.message.DescribeLogDirsRequestData;
import org.apache.kafka.common.message.DescribeLogDirsRequestData.DescribableLogDirTopic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;

/// DescribeLogDirs: the one data folder, and what each partition takes of it.
final class DescribeLogDirsHandler extends MessageHandler<DescribeLogDirsRequestData> {
    private static final short FIRST_FLEXIBLE_VERSION = 2;

    DescribeLogDirsHandler(Services services) {
        super(ApiKeys.DESCRIBE_LOG_DIRS, services);
    }

    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new NamedTopicsScan(body, version >= FIRST_FLEXIBLE_VERSION, true, scan -> scan.skipInts("partitions"));
    }

    @Override
    void handle(DescribeLogDirsRequestData body, Exchange exchange) {
        offLoop(exchange, () -> new DescribeLogDirsResponseData().setResults(List.of(describe(body))));
    }

    private DescribeLogDirsResult describe(DescribeLogDirsRequestData body) {
        DescribeLogDirsResult result = new DescribeLogDirsResult()
                .setLogDir(
                        services.config().dataDir().toAbsolutePath().normalize().toString());
        try {
            FileStore store = Files.getFileStore(services.config().dataDir());
            result.setTotalBytes(store.getTotalSpace()).setUsableBytes(store.getUsableSpace());
        } catch (IOException e) {
            return result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
        }
        CatalogueImage image = services.catalogue().image();
        List<DescribeLogDirsTopic> topics = new ArrayList<>();
        if (body.topics() == null) {
            image.topics().forEach(topic -> add(topics, topic, topic.partitions()));
        } else {
            for (DescribableLogDirTopic asked : body.topics()) {
                Topic topic = image.topic(asked.topic());
                if (topic != null) {
                    add(
                            topics,
                            topic,
                            asked.partitions().stream()
                                    .distinct()
                                    .map(topic::partition)
                                    .filter(Objects::nonNull)
                                    .toList());
                }
            }
        }
        return result.setTopics(topics);
    }

    private static void add(List<DescribeLogDirsTopic> topics, Topic topic, Collection<Partition> partitions) {
        topics.add(new DescribeLogDirsTopic()
                .setName(topic.name())
                .setPartitions(partitions.stream()
                        .map(partition -> new DescribeLogDirsPartition()
                                .setPartitionIndex(partition.index())
                                .setPartitionSize(partition.log().bytesOnDisk())
                                .setOffsetLag(0)
                                .setIsFutureKey(false))
                        .toList()));
    }
}
