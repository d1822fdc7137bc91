package dev.sluice.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.metadata.properties.MetaPropertiesVersion;
import org.apache.kafka.storage.internals.checkpoint.CleanShutdownFileHandler;
import org.apache.kafka.storage.internals.checkpoint.LeaderEpochCheckpointFile;
import org.apache.kafka.storage.internals.checkpoint.OffsetCheckpointFile;
import org.apache.kafka.storage.internals.checkpoint.PartitionMetadataFile;
import org.apache.kafka.storage.internals.log.EpochEntry;
import org.apache.kafka.storage.internals.log.LogDirFailureChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The small files: Kafka reads what we write, and we read what Kafka writes.
class KafkaFilesTest {
    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private final LogDirFailureChannel failures = new LogDirFailureChannel(1);

    @Test
    void offsetCheckpoints() throws IOException {
        Path path = folder.resolve(OffsetCheckpoint.RECOVERY_POINT);
        OffsetCheckpoint.write(
                kernel, path, Map.of(new PartitionName("a-b", 0), 7L, new PartitionName("c", 12), 1L << 40));
        Map<TopicPartition, Long> theirs = new OffsetCheckpointFile(path.toFile(), failures).read();
        assertThat(theirs).isEqualTo(Map.of(new TopicPartition("a-b", 0), 7L, new TopicPartition("c", 12), 1L << 40));

        new OffsetCheckpointFile(path.toFile(), failures).write(Map.of(new TopicPartition("x", 3), 99L));
        List<String> warnings = new ArrayList<>();
        assertThat(OffsetCheckpoint.read(kernel, path, warnings::add))
                .isEqualTo(Map.of(new PartitionName("x", 3), 99L));
        assertThat(warnings).isEmpty();
    }

    @Test
    void aCheckpointThatIsNoneIsIgnoredWithAWarning() throws IOException {
        for (String text :
                List.of("", "1\n0\n", "0\n2\na 0 1\n", "0\n1\na 0\n", "0\n1\na x 1\n", "0\n1\n../b 0 1\n", "garbage")) {
            Path path = folder.resolve("checkpoint");
            Files.writeString(path, text);
            List<String> warnings = new ArrayList<>();

            assertThat(OffsetCheckpoint.read(kernel, path, warnings::add)).isEmpty();

            assertThat(warnings).as(text).hasSize(1).first().asString().contains(path.toString());
        }
    }

    @Test
    void leaderEpochs() throws Exception {
        LeaderEpochs.empty().with(0, 0).with(3, 1000).write(kernel, folder);
        Path path = folder.resolve(LeaderEpochs.FILE);
        LeaderEpochCheckpointFile theirs = new LeaderEpochCheckpointFile(path.toFile(), failures);
        assertThat(theirs.read()).containsExactly(new EpochEntry(0, 0), new EpochEntry(3, 1000));

        theirs.write(List.of(new EpochEntry(5, 10), new EpochEntry(6, 20)));
        LeaderEpochs read = LeaderEpochs.read(kernel, folder).orElseThrow();
        assertThat(read.latest()).isEqualTo(6);
        assertThat(read.of(9)).isEqualTo(LeaderEpochs.NONE);
        assertThat(read.of(10)).isEqualTo(5);
        assertThat(read.of(19)).isEqualTo(5);
        assertThat(read.of(20)).isEqualTo(6);
        assertThat(read.upTo(20).latest()).isEqualTo(6);
        assertThat(read.upTo(19).latest()).isEqualTo(5);
    }

    @Test
    void partitionMetadata() throws IOException {
        UUID id = new UUID(0x123456789abcdefL, -42);
        PartitionMetadata.write(kernel, folder, id);
        PartitionMetadataFile theirs =
                new PartitionMetadataFile(folder.resolve(PartitionMetadata.FILE).toFile(), failures);
        assertThat(theirs.read().topicId())
                .isEqualTo(new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits()));

        Uuid other = Uuid.randomUuid();
        PartitionMetadataFile written =
                new PartitionMetadataFile(folder.resolve(PartitionMetadata.FILE).toFile(), failures);
        written.record(other);
        written.maybeFlush();
        assertThat(PartitionMetadata.read(kernel, folder, _ -> {}))
                .contains(new UUID(other.getMostSignificantBits(), other.getLeastSignificantBits()));
    }

    @Test
    void idsAreWrittenAsKafkaWritesThem() {
        for (int i = 0; i < 1000; i++) {
            Uuid theirs = Uuid.randomUuid();
            UUID ours = new UUID(theirs.getMostSignificantBits(), theirs.getLeastSignificantBits());
            assertThat(KafkaUuid.format(ours)).isEqualTo(theirs.toString());
            assertThat(KafkaUuid.parse(theirs.toString())).isEqualTo(ours);
        }
        assertThat(KafkaUuid.parse("short")).isNull();
        assertThat(KafkaUuid.parse("!!!")).isNull();
    }

    @Test
    void theMarkerOfACleanEnd() throws IOException {
        Folder data = new Folder(folder.resolve("data"));
        data.open();
        CleanShutdownFileHandler theirs = new CleanShutdownFileHandler(data.path.toString());
        assertThat(theirs.exists()).isFalse();

        data.close();

        assertThat(theirs.exists()).isTrue();
        assertThat(theirs.read()).hasValue(-1);
    }

    @Test
    void metaProperties() throws Exception {
        Folder data = new Folder(folder.resolve("data"));
        data.open();
        UUID id = data.directory().id();
        data.close();
        org.apache.kafka.metadata.properties.MetaProperties theirs =
                new org.apache.kafka.metadata.properties.MetaProperties.Builder(
                                load(data.path.resolve(MetaProperties.FILE)))
                        .build();

        assertThat(theirs.version()).isEqualTo(MetaPropertiesVersion.V1);
        assertThat(theirs.clusterId()).contains(Folder.IDENTITY.clusterId());
        assertThat(theirs.nodeId()).hasValue(1);
        assertThat(theirs.directoryId()).contains(new Uuid(id.getMostSignificantBits(), id.getLeastSignificantBits()));
        data.open();
        assertThat(data.directory().id()).isEqualTo(id);
        data.close();
    }

    private static java.util.Properties load(Path path) throws IOException {
        java.util.Properties properties = new java.util.Properties();
        try (var reader = Files.newBufferedReader(path)) {
            properties.load(reader);
        }
        return properties;
    }

    @Test
    void aFolderThatCannotBeListedIsNamedWithTheReason() {
        assertThatThrownBy(() -> SmallFiles.list(folder.resolve("none")))
                .isInstanceOf(IOException.class)
                .hasMessage("Listing " + folder.resolve("none") + " failed: it does not exist");
        assertThat(SmallFiles.reason(new java.nio.file.AccessDeniedException("/x")))
                .isEqualTo("permission denied");
    }

    @Test
    void foldersOfPartitions() {
        assertThat(PartitionName.ofFolder("a-0")).contains(new PartitionName("a", 0));
        assertThat(PartitionName.ofFolder("a-b-17")).contains(new PartitionName("a-b", 17));
        for (String other : List.of("a", "a-", "-1", "a-01", "a-x", "a--1x", "a-99999999999", "a b-0", "..-x")) {
            assertThat(PartitionName.ofFolder(other)).as(other).isEmpty();
        }
        String longest = "t".repeat(249);
        PartitionName name = new PartitionName(longest, Integer.MAX_VALUE);
        assertThat(name.deletedFolder(UUID.randomUUID())).hasSize(255);
        assertThat(PartitionName.isDeletedFolder(name.deletedFolder(UUID.randomUUID())))
                .isTrue();
        assertThat(PartitionName.isDeletedFolder("a-0")).isFalse();
    }
}
