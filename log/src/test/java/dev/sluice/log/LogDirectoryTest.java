package dev.sluice.log;

import static dev.sluice.log.Batches.batch;
import static dev.sluice.log.Folder.append;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogDirectoryTest {
    @TempDir
    Path temporary;

    private Folder folder;

    @BeforeEach
    void folder() {
        folder = new Folder(temporary.resolve("a/b/data"));
    }

    @AfterEach
    void nothingLeft() throws IOException {
        folder.close();
    }

    private <T extends LogDirectoryException> void assertRefused(
            ThrowingCallable opening, Class<T> type, String... saying) {
        assertThatThrownBy(opening)
                .isInstanceOfSatisfying(
                        type,
                        refused -> assertThat(refused.getMessage())
                                .contains(folder.path.toString())
                                .contains(saying)
                                .doesNotContain("\n"));
    }

    @Test
    void aMissingFolderIsMadeWithItsParents() throws IOException {
        folder.open();

        assertThat(folder.path.resolve("meta.properties")).exists();
        assertThat(folder.directory().logs()).isEmpty();
        assertThat(folder.directory().recoveryReport().clean()).isFalse();
    }

    @Test
    void aFolderIsHeldByOne() throws IOException {
        folder.open();
        Folder second = new Folder(folder.path);

        assertRefused(second::open, LogDirectoryException.Held.class, "held by another broker", "log.dirs");

        folder.directory().close();
        second.open();
        second.close();
    }

    @Test
    void kafkasLockAndOursKeepEachOtherOut() throws IOException {
        folder.open();
        folder.directory().close();
        try (FileChannel channel = FileChannel.open(folder.path.resolve(".lock"), StandardOpenOption.WRITE);
                FileLock theirs = channel.tryLock()) {
            assertThat(theirs).isNotNull();
            assertRefused(folder::open, LogDirectoryException.Held.class, "held by another broker");
        }
        folder.open();
        try (FileChannel channel = FileChannel.open(folder.path.resolve(".lock"), StandardOpenOption.WRITE)) {
            assertThat(channel.tryLock()).isNull();
        }
    }

    @Test
    void anothersFilesAreLeftAlone() throws IOException {
        Files.createDirectories(folder.path);
        for (String name : List.of("photo.jpg", "notes.txt", "x", "y")) {
            Files.createFile(folder.path.resolve(name));
        }

        assertRefused(
                folder::open, LogDirectoryException.Foreign.class, "no broker wrote", "notes.txt, photo.jpg, x, …");

        assertThat(folder.path.toFile().list()).hasSize(4);
    }

    @Test
    void kafkasFolderIsLeftAlone() throws IOException {
        Files.createDirectories(folder.path.resolve("__cluster_metadata-0"));
        Files.writeString(
                folder.path.resolve("meta.properties"), "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\n");

        assertRefused(folder::open, LogDirectoryException.Foreign.class, "Apache Kafka's", "another folder");
    }

    @Test
    void theRootOfAFreshFileSystemIsTaken() throws IOException {
        Files.createDirectories(folder.path.resolve("lost+found"));

        folder.open();
        folder.directory().close();
        folder.open();

        assertThat(folder.directory().recoveryReport().ignored()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "version=1\ncluster.id=other\nnode.id=1\n|cluster.id other",
                "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=2\n|node.id 2",
                "version=0\nbroker.id=1\n|version 0",
                "version=1\n|lacks",
                "|version null",
                "version=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\ndirectory.id=zzz\n|directory.id"
            })
    void anothersFolderIsRefused(String given) throws IOException {
        String[] parts = given.split("\\|");
        Files.createDirectories(folder.path);
        Files.writeString(folder.path.resolve("meta.properties"), parts[0]);

        assertRefused(folder::open, LogDirectoryException.Foreign.class, parts[1]);

        assertThat(folder.path.resolve("meta.properties")).hasContent(parts[0]);
    }

    @Test
    void aFolderOfAnOlderKafkaGetsAnIdOfItsOwn() throws IOException {
        Files.createDirectories(folder.path);
        Files.writeString(
                folder.path.resolve("meta.properties"),
                "#\n#Sat Nov 21 10:00:00 UTC 2026\nversion=1\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\nnode.id=1\n");

        UUID id = folder.open().id();

        assertThat(folder.path.resolve("meta.properties")).content().contains("directory.id=" + KafkaUuid.format(id));
    }

    @Test
    void aFileInItsPlaceIsRefused() throws IOException {
        Files.createDirectories(folder.path.getParent());
        Files.createFile(folder.path);

        assertRefused(folder::open, LogDirectoryException.Inaccessible.class, "is a file");
        Files.delete(folder.path);
    }

    @ParameterizedTest
    @ValueSource(strings = {"MKDIR data", "OPENAT .lock", "FCNTL .lock", "OPENAT meta.properties.tmp"})
    void aFolderThatCannotBeUsedIsRefusedInOneLine(String fault) throws IOException {
        String[] parts = fault.split(" ");
        Faults.Fault denied = folder.faults.once(
                Call.valueOf(parts[0]), parts[1], 0, parts[0].equals("FCNTL") ? Errno.EIO : Errno.EROFS);

        assertRefused(folder::open, LogDirectoryException.Inaccessible.class, "can't be");

        assertThat(denied.hits()).isEqualTo(1);
    }

    @Test
    void whatIsNotAPartitionIsIgnoredAndTold() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch());
        folder.directory().close();
        Files.createDirectories(folder.path.resolve("no_partition/inside"));
        Files.createDirectories(folder.path.resolve("t-x"));
        Files.createFile(folder.path.resolve("catalogue.bin"));
        Files.createFile(folder.path.resolve("t-0/readme.txt"));

        folder.open();

        assertThat(folder.directory().recoveryReport().ignored())
                .containsExactly("catalogue.bin", "no_partition", "t-x");
        assertThat(folder.directory().logs()).hasSize(1);
        assertThat(folder.path.resolve("no_partition/inside")).exists();
        assertThat(folder.path.resolve("t-0/readme.txt")).exists();
    }

    @Test
    void aPartitionFolderWithoutSegmentsIsAnEmptyLog() throws IOException {
        folder.open().close();
        Files.createDirectories(folder.path.resolve("t-0"));

        folder.open();

        PartitionLog log = folder.log("t", 0);
        assertThat(log.topicId()).isEmpty();
        log.assignTopicId(Folder.TOPIC_ID);
        assertThat(append(log, batch())).isZero();
        log = folder.restart(log);
        assertThat(log.topicId()).contains(Folder.TOPIC_ID);
        assertThat(log.logEndOffset()).isEqualTo(1);
        PartitionLog same = log;
        assertThatThrownBy(() -> same.assignTopicId(UUID.randomUUID())).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aPartitionIsCreatedOnce() throws IOException {
        folder.create("t", 0);

        assertThatThrownBy(() -> folder.create("t", 0)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> folder.create("../t", 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> folder.create("..", 0)).isInstanceOf(IllegalArgumentException.class);
        assertThat(folder.directory().log("../t", 0)).isEmpty();
        assertThat(folder.directory().log("t", -1)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "OPENAT .log",
                "OPENAT .timeindex",
                "PWRITE partition.metadata",
                "FSYNC partition.metadata",
                "FSYNC t-0"
            })
    void aCreationThatFailsLeavesNothing(String fault) throws IOException {
        folder.open();
        String[] parts = fault.split(" ");
        Faults.Fault full = folder.faults.once(Call.valueOf(parts[0]), parts[1], 0, Errno.ENOSPC);

        assertThatThrownBy(() -> folder.create("t", 0)).isInstanceOf(ErrnoException.class);

        assertThat(full.hits()).isEqualTo(1);
        assertThat(folder.path.resolve("t-0")).doesNotExist();
        append(folder.create("t", 0), batch());
    }

    @Test
    void ofPartitionsThatAreMadeTogetherNoneIsLeftWhenOneFails() throws IOException {
        folder.open();
        Faults.Fault lost = folder.faults.once(Call.FSYNC, "t-3", 0, Errno.EIO);

        assertThatThrownBy(() -> folder.directory().create("t", 0, 20, Folder.TOPIC_ID, folder.config))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("t-3");

        assertThat(lost.hits()).isEqualTo(1);
        assertThat(folder.directory().logs()).isEmpty();
        assertThat(folder.path.toFile().list((_, name) -> name.startsWith("t-")))
                .isEmpty();
        assertThat(folder.directory().create("t", 0, 20, Folder.TOPIC_ID, folder.config))
                .hasSize(20);
    }

    /// The control is that it is so at once: what an append would sync for it has not been.
    @Test
    void whatIsMadeIsOnTheDeviceToTheNameOfItsFolder() throws IOException {
        folder.open();
        List<String> synced = Collections.synchronizedList(new ArrayList<>());
        for (String name : List.of("partition.metadata", "t-0", "t-1", folder.path.toString())) {
            folder.faults.whenever(Call.FSYNC, name, () -> synced.add(name));
        }

        folder.directory().create("t", 0, 2, Folder.TOPIC_ID, folder.config);

        assertThat(synced)
                .containsExactly("partition.metadata", "partition.metadata", "t-0", "t-1", folder.path.toString());
    }

    @Test
    void aDeletedLogIsGoneButWhoReadsItStillCan() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch().valueBytes(100));
        ReadOutcome.Found held = (ReadOutcome.Found) log.read(0, 1000, true);

        folder.directory().delete(log);

        assertThat(folder.path.toFile().list((_, name) -> name.contains("t-0"))).isEmpty();
        assertThat(folder.directory().log("t", 0)).isEmpty();
        assertThat(log.append(batch().view()))
                .isInstanceOfSatisfying(
                        AppendOutcome.Rejected.class,
                        rejected -> assertThat(rejected.reason()).isEqualTo(AppendOutcome.Reason.CLOSED));
        assertThat(log.read(0, 100, true)).isEqualTo(new ReadOutcome.Closed());
        assertThat(OpenHandles.descriptors(folder.path)).hasSize(2); // .lock, and the span's file
        assertThat(folder.take(held)).hasSize(batch().valueBytes(100).bytes().length);
        assertThat(OpenHandles.descriptors(folder.path)).hasSize(1);
        PartitionLog again = folder.create("t", 0);
        assertThat(again.logEndOffset()).isZero();
    }

    @Test
    void aDeletionThatACrashInterruptedIsFinished() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch());
        folder.faults.always(Call.UNLINK, ".log", Errno.EIO);
        folder.directory().delete(log);
        assertThat(folder.path.toFile().list((_, name) -> name.endsWith("-delete")))
                .hasSize(1);
        folder.directory().abandon();
        Folder after = new Folder(folder.path);

        after.open();

        assertThat(after.directory().recoveryReport().removed()).hasSize(1);
        assertThat(after.path.toFile().list((_, name) -> name.endsWith("-delete")))
                .isEmpty();
        assertThat(after.directory().logs()).isEmpty();
        after.close();
    }

    @Test
    void aDeletedFolderThatCannotBeRemovedIsToldAndNoHindrance() throws IOException {
        folder.open().close();
        Path inside = folder.path.resolve("t-0.00000000000000000000000000000001-delete/somebodys/folder");
        Files.createDirectories(inside);

        folder.open();

        assertThat(folder.directory().recoveryReport().removed()).isEmpty();
        assertThat(folder.directory().recoveryReport().warnings())
                .hasSize(1)
                .first()
                .asString()
                .contains("-delete")
                .contains("ENOTEMPTY");
        assertThat(inside).exists();
    }

    @Test
    void aNewLogDoesNotInheritTheCheckpointsOfADeletedOne() throws IOException {
        folder.config = folder.config.withSegmentBytes(1000);
        PartitionLog log = folder.create("t", 0);
        for (int i = 0; i < 20; i++) {
            append(log, batch().valueBytes(300).seed(i));
        }
        log.flush();
        folder.directory().checkpoint();
        assertThat(folder.path.resolve("recovery-point-offset-checkpoint"))
                .content()
                .contains("t 0 20");
        folder.directory().delete(log);

        log = folder.create("t", 0);

        assertThat(folder.path.resolve("recovery-point-offset-checkpoint"))
                .content()
                .doesNotContain("t 0");
        for (int i = 0; i < 20; i++) {
            append(log, batch().valueBytes(300).seed(i));
        }
        log = folder.crash(log);
        assertThat(folder.report(log).batchesScanned()).isEqualTo(20);
    }

    @Test
    void theCheckpointsAreWritten() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch().records(5));
        log.flush();
        append(log, batch());

        folder.directory().checkpoint();

        assertThat(folder.path.resolve("recovery-point-offset-checkpoint")).hasContent("0\n1\nt 0 5\n");
        assertThat(folder.path.resolve("replication-offset-checkpoint")).hasContent("0\n1\nt 0 6\n");
        assertThat(folder.path.resolve("log-start-offset-checkpoint")).hasContent("0\n0\n");
    }

    @Test
    void aPartitionThatRestsHoldsNoDescriptorsOrMaps() throws IOException {
        folder.options = new LogDirectory.Options(1, 0, Folder.engine(), UUID::randomUUID, Folder::atOnce);
        folder.config = folder.config.withIndexIntervalBytes(0);
        PartitionLog log = folder.create("t", 0);
        for (int i = 0; i < 1030; i++) { // more index entries than are kept in memory
            append(log, batch());
        }
        folder.directory().checkpoint();
        assertThat(OpenHandles.descriptors(folder.path)).hasSize(2);
        assertThat(OpenHandles.maps(folder.path)).hasSize(1);

        folder.directory().checkpoint();

        assertThat(OpenHandles.descriptors(folder.path)).hasSize(1);
        assertThat(OpenHandles.maps(folder.path)).isEmpty();
        assertThat(folder.read(log, 1, 100)).isNotEmpty();
        assertThat(append(log, batch())).isEqualTo(1030);
    }

    @Test
    void theMarkerOfACleanEndHoldsOnce() throws IOException {
        folder.create("t", 0);
        folder.directory().close();
        assertThat(folder.open().recoveryReport().clean()).isTrue();

        folder.directory().abandon();

        assertThat(folder.open().recoveryReport().clean()).isFalse();
    }

    @Test
    void aCloseThatFailsLeavesNoMarker() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch());
        folder.faults.once(Call.FDATASYNC, ".log", 0, Errno.EIO);

        assertThatThrownBy(() -> folder.directory().close()).isInstanceOf(IOException.class);

        assertThat(folder.open().recoveryReport().clean()).isFalse();
        assertThat(folder.read(folder.log("t", 0), 0, 1)).isNotEmpty();
    }

    @Test
    void everythingAfterTheCloseIsRefusedNotDangerous() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch());
        folder.directory().close();
        folder.directory().close();

        assertThat(log.append(batch().view())).isInstanceOf(AppendOutcome.Rejected.class);
        assertThat(log.read(0, 100, true)).isEqualTo(new ReadOutcome.Closed());
        assertThatThrownBy(() -> folder.directory().create("u", 0, Folder.TOPIC_ID, folder.config))
                .isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> folder.directory().checkpoint()).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(log::flush).isInstanceOf(IOException.class);
        assertThat(log.logEndOffset()).isEqualTo(1);
    }

    @Test
    void aPartitionThatCannotBeReadStopsTheStartWithItsNameAndLeavesNothingOpen() throws IOException {
        PartitionLog log = folder.create("t", 0);
        append(log, batch());
        folder.create("u", 0);
        folder.directory().abandon();
        folder.faults.once(Call.PREAD, "t-0/00000000000000000000.log", 0, Errno.EIO);

        assertThatThrownBy(folder::open)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("t-0")
                .hasMessageContaining("EIO");

        assertThat(OpenHandles.descriptors(folder.path)).isEmpty();
        folder.open();
        assertThat(folder.log("t", 0).logEndOffset()).isEqualTo(1);
    }

    @Test
    void theAccountKnowsEachSegment() throws IOException {
        folder.config = folder.config.withSegmentBytes(1000);
        PartitionLog log = folder.create("t", 0);
        int bytes = batch().valueBytes(600).bytes().length;
        append(log, batch().valueBytes(600));
        append(log, batch().valueBytes(600));

        Account account = log.account();

        assertThat(account.name()).isEqualTo("t-0");
        assertThat(account.children().stream().map(Account::name))
                .containsExactlyInAnyOrder("00000000000000000000.log", "00000000000000000001.log");
        int timeIndexEntry = 12; // written when the first was sealed
        assertThat(account.children().stream()
                        .map(segment -> segment.count(Call.PWRITE).bytes()))
                .containsExactlyInAnyOrder((long) bytes + timeIndexEntry, (long) bytes);
        long all = 2L * bytes + timeIndexEntry;
        assertThat(folder.account.count(Call.PWRITE).bytes()).isEqualTo(all);
        assertThat(log.bytesOnDisk()).isEqualTo(2L * bytes);
        folder.directory().delete(log);
        assertThat(folder.account.count(Call.PWRITE).bytes()).isEqualTo(all);
    }

    @Test
    void twoFoldersOfOneProcessShareNothing() throws IOException {
        Folder other = new Folder(temporary.resolve("other"));
        folder.faults.always(Call.PWRITE, ".log", Errno.EIO);
        PartitionLog broken = folder.create("t", 0);
        PartitionLog sound = other.create("t", 0);

        assertThat(broken.append(batch().view())).isInstanceOf(AppendOutcome.Failed.class);
        assertThat(append(sound, batch())).isZero();

        other.close();
        folder.directory().abandon();
    }

    @Test
    void aNewKernelSeesTheSameFolder() throws IOException {
        folder.create("t", 0);
        folder.directory().close();

        try (LogDirectory directory = LogDirectory.open(
                new Kernel(), folder.path, Folder.IDENTITY, folder.config, folder.clock(), Account.root("x"))) {
            assertThat(directory.log("t", 0)).isPresent();
        }
    }
}
