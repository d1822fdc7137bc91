package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.ProducerAppendInfo;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProducerStatesTest {
    private static final long DAY_MS = 24 * 3_600_000L;

    private static final PartitionName NAME = new PartitionName("t", 0);

    @TempDir
    Path folder;

    private final ProducerStates states = new ProducerStates();
    private long nextOffset;

    private AppendOutcome send(Batches built) {
        BatchView view = built.view();
        AppendOutcome verdict = states.check(view, NAME, 0);
        if (verdict != null) {
            return verdict;
        }
        view.patch(nextOffset, 0);
        states.appended(view);
        nextOffset = view.lastOffset() + 1;
        return AppendOutcome.APPENDED;
    }

    private static void assertRejected(AppendOutcome outcome, AppendOutcome.Reason reason) {
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        AppendOutcome.Rejected.class,
                        rejected -> assertThat(rejected.reason()).isEqualTo(reason));
    }

    @Test
    void anUnknownProducerMayBeginAnywhere() {
        assertThat(send(batch().producer(1, 5, 1000))).isInstanceOf(AppendOutcome.Appended.class);
    }

    @Test
    void aGapInTheSequenceIsOutOfOrder() {
        send(batch().records(2).producer(1, 0, 0));

        assertRejected(send(batch().producer(1, 0, 3)), AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE);
        assertThat(send(batch().producer(1, 0, 2))).isInstanceOf(AppendOutcome.Appended.class);
    }

    @Test
    void theLastFiveBatchesAreKnownAgainAndAnOlderOneIsOutOfOrder() {
        for (int i = 0; i < 7; i++) {
            send(batch().producer(1, 0, i));
        }
        for (int i = 2; i < 7; i++) {
            assertThat(send(batch().producer(1, 0, i))).isEqualTo(new AppendOutcome.Duplicate(i, i, -1, 0));
        }
        assertRejected(send(batch().producer(1, 0, 1)), AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE);
    }

    @Test
    void aNewEpochBeginsAtZeroAndFencesTheOldOne() {
        send(batch().producer(1, 3, 0));

        assertRejected(send(batch().producer(1, 4, 1)), AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE);
        assertThat(send(batch().producer(1, 4, 0))).isInstanceOf(AppendOutcome.Appended.class);
        assertRejected(send(batch().producer(1, 3, 1)), AppendOutcome.Reason.INVALID_PRODUCER_EPOCH);
    }

    @Test
    void theSequenceWrapsToZero() {
        send(batch().records(4).producer(1, 0, Integer.MAX_VALUE - 1));

        assertThat(send(batch().records(4).producer(1, 0, Integer.MAX_VALUE - 1)))
                .isEqualTo(new AppendOutcome.Duplicate(0, 3, -1, 0));
        assertThat(send(batch().producer(1, 0, 2))).isInstanceOf(AppendOutcome.Appended.class);
    }

    @Test
    void anExpiredProducerIsForgotten() {
        send(batch().producer(1, 0, 0).timestamp(T0));
        send(batch().producer(2, 0, 0).timestamp(T0 + 1));

        states.expire(T0 + DAY_MS, DAY_MS);

        assertThat(states.all()).containsOnlyKeys(2L);
        assertThat(send(batch().producer(1, 0, 77))).isInstanceOf(AppendOutcome.Appended.class);
        assertRejected(send(batch().producer(2, 0, 77)), AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE);
    }

    /// Random producers, most of them well-behaved, some retrying, skipping or of another epoch: every verdict is
    /// Kafka's.
    @Test
    void everyVerdictIsKafkas() throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        ProducerStateManager kafka = kafka();
        Map<Long, Integer> next = new HashMap<>();
        Map<String, Integer> verdicts = new HashMap<>();
        for (int i = 0; i < 20_000; i++) {
            long id = random.nextInt(4);
            int expected = next.getOrDefault(id, 0);
            int sequence = random.nextInt(4) > 0 ? expected : Math.max(0, expected - random.nextInt(20) + 3);
            int epoch = random.nextInt(50) == 0 ? random.nextInt(6) : i / 5000;
            int records = 1 + random.nextInt(3);
            byte[] bytes = batch().records(records)
                    .producer(id, epoch, random.nextInt(30) == 0 ? 0 : sequence)
                    .bytesAt(nextOffset);
            RecordBatch parsed = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes))
                    .batchIterator()
                    .next();

            String theirs = verdict(kafka, parsed);
            BatchView view = Batches.view(bytes);
            AppendOutcome verdict = states.check(view, NAME, 0);
            String ours = verdict == null ? "appended" : describe(verdict);

            assertThat(ours).as("seed %d, batch %d: %s", seed, i, parsed).isEqualTo(theirs);
            if (verdict == null) {
                states.appended(view);
                nextOffset += records;
                next.put(id, parsed.lastSequence() + 1);
            }
            verdicts.merge(ours.split(" ")[0], 1, Integer::sum);
        }
        assertThat(verdicts).containsKeys("appended", "duplicate", "OUT_OF_ORDER_SEQUENCE", "INVALID_PRODUCER_EPOCH");
    }

    private static String describe(AppendOutcome verdict) {
        return switch (verdict) {
            case AppendOutcome.Duplicate duplicate ->
                "duplicate " + duplicate.baseOffset() + " " + duplicate.lastOffset();
            case AppendOutcome.Rejected rejected -> rejected.reason().name();
            case AppendOutcome.Appended _, AppendOutcome.Failed _ -> throw new AssertionError(verdict);
        };
    }

    /// What Kafka does with a client's batch, from `UnifiedLog.analyzeAndValidateProducerState`.
    private static String verdict(ProducerStateManager kafka, RecordBatch batch) {
        Optional<ProducerStateEntry> entry = kafka.lastEntry(batch.producerId());
        if (entry.isPresent() && entry.get().producerEpoch() == batch.producerEpoch()) {
            for (BatchMetadata known : entry.get().batchMetadata()) {
                if (known.firstSeq() == batch.baseSequence() && known.lastSeq() == batch.lastSequence()) {
                    return "duplicate " + known.firstOffset() + " " + known.lastOffset();
                }
            }
        }
        try {
            ProducerAppendInfo info = kafka.prepareUpdate(batch.producerId(), AppendOrigin.CLIENT);
            info.append(batch, Optional.empty());
            kafka.update(info);
            return "appended";
        } catch (OutOfOrderSequenceException e) {
            return AppendOutcome.Reason.OUT_OF_ORDER_SEQUENCE.name();
        } catch (InvalidProducerEpochException e) {
            return AppendOutcome.Reason.INVALID_PRODUCER_EPOCH.name();
        }
    }

    private ProducerStateManager kafka() throws IOException {
        return new ProducerStateManager(
                new TopicPartition("t", 0),
                folder.toFile(),
                60_000,
                new ProducerStateManagerConfig((int) DAY_MS, false),
                Time.SYSTEM);
    }

    @Test
    void aSnapshotIsByteForByteKafkas() throws IOException {
        send(batch().records(3).producer(1, 2, 10).timestamp(T0));
        send(batch().records(2).producer(1, 2, 13).timestamp(T0 + 5));
        send(batch().records(5).producer(9, 0, Integer.MAX_VALUE).timestamp(T0 + 7));
        Map<Long, ProducerStateEntry> theirs = new java.util.TreeMap<>();
        Path ours = folder.resolve("ours.snapshot");
        Files.write(ours, ProducerSnapshot.format(states));
        for (ProducerStateEntry entry : ProducerStateManager.readSnapshot(ours.toFile())) {
            theirs.put(entry.producerId(), entry);
        }
        Path written = folder.resolve("theirs.snapshot");
        ProducerStateManager.writeSnapshot(written.toFile(), theirs, false);

        assertThat(theirs).containsOnlyKeys(1L, 9L);
        BatchMetadata last = theirs.get(1L).batchMetadata().iterator().next();
        assertThat(last).isEqualTo(new BatchMetadata(14, 4, 1, T0 + 5));
        assertThat(theirs.get(1L).producerEpoch()).isEqualTo((short) 2);
        assertThat(Files.readAllBytes(written)).isEqualTo(Files.readAllBytes(ours));
    }

    @Test
    void whenTooManyAreNamedTheOneThatWasSilentLongestIsForgotten() {
        for (int id = 0; id < ProducerStates.MOST; id++) {
            send(batch().producer(id, 0, 7));
        }
        send(batch().producer(0, 0, 8));
        send(batch().producer(ProducerStates.MOST, 0, 7));

        assertThat(states.size()).isEqualTo(ProducerStates.MOST);
        assertThat(send(batch().producer(0, 0, 8)))
                .as("it has been heard of since")
                .isInstanceOf(AppendOutcome.Duplicate.class);
        assertThat(send(batch().producer(ProducerStates.MOST, 0, 7)))
                .as("the newest")
                .isInstanceOf(AppendOutcome.Duplicate.class);
        assertThat(send(batch().producer(1, 0, 100)))
                .as("forgotten, so any sequence may begin")
                .isInstanceOf(AppendOutcome.Appended.class);
        assertThat(states.size()).isEqualTo(ProducerStates.MOST);
    }

    /// As one that was written before there was a bound.
    @Test
    void ofASnapshotWithTooManyNoMoreAreReadThanAreRemembered() {
        ByteBuffer entries = ByteBuffer.wrap(ProducerSnapshot.format(oneProducer()));
        int head = 2 + 4 + 4;
        byte[] entry = new byte[entries.capacity() - head];
        entries.get(head, entry);
        int count = ProducerStates.MOST + 5;
        ByteBuffer many = ByteBuffer.allocate(head + count * entry.length);
        many.putShort(entries.getShort(0)).putInt(0).putInt(count);
        for (long id = 0; id < count; id++) {
            many.put(entry).putLong(many.position() - entry.length, id);
        }
        CRC32C crc = new CRC32C();
        crc.update(many.array(), 2 + 4, many.capacity() - 2 - 4);
        many.putInt(2, (int) crc.getValue());

        ProducerStates read = ProducerSnapshot.parse(many.array());

        assertThat(read).isNotNull();
        assertThat(read.size()).isEqualTo(ProducerStates.MOST);
        assertThat(read.all()).containsKey(count - 1L).doesNotContainKey(0L);
    }

    private ProducerStates oneProducer() {
        send(batch().producer(1, 0, 0));
        return states;
    }

    @Test
    void aSnapshotIsReadBack() {
        send(batch().records(3).producer(1, 2, 10).timestamp(T0));
        send(batch().records(2).producer(2, 1, 0).timestamp(T0 + 1));
        byte[] snapshot = ProducerSnapshot.format(states);

        ProducerStates read = ProducerSnapshot.parse(snapshot);

        assertThat(read).isNotNull();
        assertThat(read.all()).containsOnlyKeys(1L, 2L);
        assertThat(read.check(batch().records(2).producer(2, 1, 0).view(), NAME, 0))
                .isEqualTo(new AppendOutcome.Duplicate(3, 4, -1, 0));
    }

    @Test
    void aSnapshotSpoiltAnywhereIsNone() {
        send(batch().records(3).producer(1, 2, 10));
        byte[] good = ProducerSnapshot.format(states);
        assertThat(ProducerSnapshot.parse(good)).isNotNull();
        for (int i = 0; i < good.length; i++) {
            byte[] bad = good.clone();
            bad[i] ^= 0x10;
            assertThat(ProducerSnapshot.parse(bad)).as("byte %d", i).isNull();
            assertThat(ProducerSnapshot.parse(java.util.Arrays.copyOf(good, i)))
                    .as("cut at %d", i)
                    .isNull();
        }
    }

    @Test
    void whatASnapshotSaysOfTransactionsIsCarriedOn() throws IOException {
        ProducerStateEntry entry = new ProducerStateEntry(5, (short) 1, 33, T0, java.util.OptionalLong.of(1234));
        Path theirs = folder.resolve("theirs.snapshot");
        ProducerStateManager.writeSnapshot(theirs.toFile(), Map.of(5L, entry), false);

        ProducerStates read = ProducerSnapshot.parse(Files.readAllBytes(theirs));

        assertThat(read).isNotNull();
        assertThat(ProducerSnapshot.format(read)).isEqualTo(Files.readAllBytes(theirs));
    }

    @Test
    void ourOwnOrderOfProducersIsByTheirId() {
        for (long id : List.of(9L, 3L, 7L)) {
            send(batch().producer(id, 0, 0));
        }
        ByteBuffer snapshot = ByteBuffer.wrap(ProducerSnapshot.format(states));

        assertThat(List.of(snapshot.getLong(10), snapshot.getLong(56), snapshot.getLong(102)))
                .containsExactly(3L, 7L, 9L);
    }
}
