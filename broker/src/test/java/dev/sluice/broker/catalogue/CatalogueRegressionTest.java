package dev.sluice.broker.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.config.LiveConfig;
import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.CorruptBatchException;
import dev.sluice.log.Identity;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import dev.sluice.testkit.GateFaults;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The catalogue on a disk that refuses, and over restarts.
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CatalogueRegressionTest {
    private static final Identity IDENTITY = new Identity("MkU3OEVBNTcwNTJENDM2Qk", 1);
    private static final int NEVER_COMPACT = Integer.MAX_VALUE;

    @TempDir
    Path folder;

    private final GateFaults faults = new GateFaults();
    private final Kernel kernel = new Kernel(faults);
    private long nowMs = 1_800_000_000_000L;
    private final InstantSource clock = () -> Instant.ofEpochMilli(nowMs);
    private LogDirectory directory;

    private Catalogue open(int compactAboveRecords) throws IOException {
        openDirectory();
        return Catalogue.open(
                kernel, directory, new LiveConfig(BrokerConfig.load(Map.of())), clock, compactAboveRecords);
    }

    private void openDirectory() throws IOException {
        directory = LogDirectory.open(kernel, folder, IDENTITY, LogConfig.DEFAULT, clock, Account.root("segments"));
    }

    private Catalogue restart(int compactAboveRecords) throws IOException {
        directory.close();
        return open(compactAboveRecords);
    }

    @AfterEach
    void close() throws IOException {
        directory.close();
    }

    @Test
    void aChangeIsOnTheDeviceBeforeItIsAnswered() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        GateFaults.Fault flushes = faults.on(Call.FDATASYNC, Call.FSYNC)
                .of("*/__sluice_catalogue-0/*.log")
                .isCounted();

        Topic topic = catalogue.create("orders", 1, Map.of());
        assertThat(flushes.hits()).isEqualTo(1);
        catalogue.nextProducerId();
        assertThat(flushes.hits()).isEqualTo(2);
        catalogue.delete(topic);
        assertThat(flushes.hits()).isEqualTo(3);
    }

    @Test
    void aChangeWhoseFlushFailsIsNotAnsweredAsMade() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        faults.on(Call.FDATASYNC, Call.FSYNC)
                .of("*/__sluice_catalogue-0/*.log")
                .times(1)
                .fails(Errno.EIO);

        assertThatThrownBy(() -> catalogue.create("orders", 1, Map.of())).isInstanceOf(IOException.class);
        assertThat(catalogue.image().topic("orders")).isNull();
        assertThatThrownBy(directory::close).isInstanceOf(IOException.class);
    }

    @Test
    void aCreationThatCanNotEvenBeTakenBackIsTakenBackBeforeTheNext() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        failBeyondTakingBack(catalogue);

        UUID id = catalogue.create("orders", 2, Map.of()).id();

        Catalogue again = restart(NEVER_COMPACT);
        assertThat(again.image().topics()).extracting(Topic::id).containsExactly(id);
        assertThat(directory.log("orders", 1).orElseThrow().topicId()).contains(id);
    }

    @Test
    void aCreationThatCouldNotBeTakenBackDoesNotStopTheNextStart() throws Exception {
        failBeyondTakingBack(open(NEVER_COMPACT));

        Catalogue again = restart(NEVER_COMPACT);
        assertThat(again.image().topics()).extracting(Topic::name).containsExactly("orders");
        assertThat(again.delete(again.image().topic("orders"))).isTrue();
        again.create("orders", 1, Map.of());
    }

    /// The second partition's folder can't be made, and after the record of the creation no other can be written.
    private void failBeyondTakingBack(Catalogue catalogue) {
        GateFaults.Fault mkdir = faults.on(Call.MKDIR).of("*/orders-1").times(1).fails(Errno.ENOSPC);
        GateFaults.Fault append = faults.on(Call.PWRITE)
                .of("*/__sluice_catalogue-0/*.log")
                .from(2)
                .fails(Errno.ENOSPC);
        assertThatThrownBy(() -> catalogue.create("orders", 2, Map.of()))
                .isInstanceOf(IOException.class)
                .satisfies(thrown -> assertThat(thrown.getSuppressed()).hasSize(1));
        assertThat(mkdir.hits()).isEqualTo(1);
        assertThat(catalogue.image().topic("orders")).isNull();
        append.heal();
    }

    @Test
    void ofTwoCreationsOfOneNameTheLaterHolds() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        UUID earlier = catalogue.create("orders", 1, Map.of()).id();
        UUID later = UUID.randomUUID();
        CatalogueLog.open(kernel, directory, clock)
                .append(List.of(new CatalogueRecord.TopicCreated(later, "orders", 1, Map.of())));

        Catalogue again = restart(NEVER_COMPACT);
        assertThat(again.image().topic(earlier)).isNull();
        assertThat(again.image().topic("orders").id()).isEqualTo(later);
        assertThat(directory.log("orders", 0).orElseThrow().topicId()).contains(later);
    }

    @Test
    void aDamagedBatchIsNamedWithItsFile() throws Exception {
        assertThatThrownBy(() -> openOverDamage(90, (byte) 0xff))
                .isInstanceOf(CorruptBatchException.class)
                .hasMessageContaining("__sluice_catalogue-0");
    }

    @Test
    void aBatchOfANegativeLengthDoesNotKeepTheStartForEver() {
        assertThatThrownBy(() -> openOverDamage(8, (byte) 0x80)).isInstanceOf(IOException.class);
    }

    @Test
    void aBatchThatSaysItIsLongerThanItsFileDoesNotKeepTheStartForEver() {
        assertThatThrownBy(() -> openOverDamage(9, (byte) 0x7f)).isInstanceOf(IOException.class);
    }

    /// Damage behind the back of the log, which has looked at its files when it was opened.
    private void openOverDamage(int position, byte value) throws Exception {
        open(NEVER_COMPACT).create("orders", 1, Map.of());
        byte[] bytes = Files.readAllBytes(logFile(0));
        bytes[position] = value;
        Files.write(logFile(0), bytes);
        Catalogue.open(kernel, directory, new LiveConfig(BrokerConfig.load(Map.of())), clock, NEVER_COMPACT);
    }

    private Path logFile(int generation) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("__sluice_catalogue-" + generation))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @Test
    void aLogOfRecordsThatNoLongerHoldIsRewrittenAtTheStart() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        UUID kept =
                catalogue.create("kept", 3, Map.of("segment.bytes", "1048576")).id();
        for (int i = 0; i < 10; i++) {
            catalogue.delete(catalogue.create("passing-" + i, 1, Map.of()));
        }
        long producerId = catalogue.nextProducerId();

        Catalogue rewritten = restart(10);
        assertThat(catalogueLogs()).containsExactly("__sluice_catalogue-1");
        assertThat(rewritten.image().topics()).extracting(Topic::id).containsExactly(kept);
        assertThat(rewritten.nextProducerId()).isGreaterThan(producerId);
        UUID second = rewritten.create("second", 1, Map.of()).id();

        Catalogue again = restart(10);
        assertThat(catalogueLogs()).as("few records are left as they are").containsExactly("__sluice_catalogue-1");
        assertThat(again.image().topics()).extracting(Topic::id).containsExactlyInAnyOrder(kept, second);
        assertThat(again.image().topic(kept).configs()).containsEntry("segment.bytes", "1048576");
    }

    @Test
    void aRewriteThatADiskRefusesLeavesTheOldLog() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        for (int i = 0; i < 10; i++) {
            catalogue.delete(catalogue.create("passing-" + i, 1, Map.of()));
        }
        UUID kept = catalogue.create("kept", 1, Map.of()).id();
        GateFaults.Fault full =
                faults.on(Call.PWRITE).of("*/__sluice_catalogue-1/*").fails(Errno.ENOSPC);

        Catalogue again = restart(10);
        assertThat(full.hits()).isPositive();
        assertThat(catalogueLogs()).containsExactly("__sluice_catalogue-0");
        assertThat(again.image().topics()).extracting(Topic::id).containsExactly(kept);
    }

    @Test
    void anEmptyNewLogIsWhatIsLeftOfARewriteAndIsRemoved() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        UUID kept = catalogue.create("kept", 1, Map.of()).id();
        directory.create(TopicNames.CATALOGUE, 1, UUID.randomUUID(), LogConfig.DEFAULT);

        Catalogue again = restart(NEVER_COMPACT);
        assertThat(catalogueLogs()).containsExactly("__sluice_catalogue-0");
        assertThat(again.image().topics()).extracting(Topic::id).containsExactly(kept);
    }

    private List<String> catalogueLogs() {
        return directory.logs().stream()
                .filter(log -> log.topic().equals(TopicNames.CATALOGUE))
                .map(PartitionLog::toString)
                .toList();
    }

    @Test
    void aTopicThatCouldNotBeMadeOnDemandIsNotTriedAgainAtOnce() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        GateFaults.Fault full = faults.on(Call.PWRITE, Call.FALLOCATE)
                .of("*/__sluice_catalogue-0/*")
                .fails(Errno.ENOSPC);
        assertThat(catalogue.createOnDemand("orders", 1)).isFalse();
        int attempts = full.hits();
        assertThat(attempts).isPositive();

        assertThat(catalogue.createOnDemand("orders", 1)).isFalse();
        assertThat(full.hits()).isEqualTo(attempts);

        full.heal();
        nowMs += 5_000;
        assertThat(catalogue.createOnDemand("orders", 1)).isTrue();
    }

    @Test
    void namesThatDifferInDotAndUnderscoreOnlyCollide() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        Topic topic = catalogue.create("a.b_c", 1, Map.of());

        assertThatThrownBy(() -> catalogue.create("a_b.c", 1, Map.of()))
                .isInstanceOf(Catalogue.TopicNameException.class)
                .hasMessageContaining("a.b_c");
        catalogue.delete(topic);
        catalogue.create("a_b.c", 1, Map.of());
    }

    @Test
    void producerIdsDoNotWaitForATopicThatIsBeingMade() throws Exception {
        Catalogue catalogue = open(NEVER_COMPACT);
        CountDownLatch release = new CountDownLatch(1);
        GateFaults.Fault held = faults.on(Call.MKDIR).of("*/slow-0").waitsFor(release);
        Thread maker = Thread.ofPlatform().start(() -> catalogue.createOnDemand("slow", 1));
        held.awaitHits(1);

        catalogue.nextProducerId();

        assertThat(catalogue.image().topic("slow")).isNull();
        release.countDown();
        assertThat(maker.join(Duration.ofMinutes(2))).isTrue();
        assertThat(catalogue.image().topic("slow")).isNotNull();
    }
}
