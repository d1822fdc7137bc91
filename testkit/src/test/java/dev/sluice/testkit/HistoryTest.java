package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.testkit.Anomaly.Kind;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Each anomaly, planted, is named, and nothing else is.
@Timeout(180)
class HistoryTest {
    private final History history = new History(10);

    private static NumberedRecord record(int producer, long number) {
        return new NumberedRecord(producer, number);
    }

    /// Producer 1's records 0, 1, 2 acknowledged at offsets 0, 1, 2, at 100, 101, 102 ns.
    @BeforeEach
    void threeRecords() {
        for (int i = 0; i < 3; i++) {
            history.acknowledged(0, i, record(1, i), 100 + i);
        }
    }

    private void read(NumberedRecord... records) {
        read(history.reading(0, 0), records);
    }

    private static void read(History.Reading reading, NumberedRecord... records) {
        for (int i = 0; i < records.length; i++) {
            reading.record(i, records[i]);
        }
        reading.endsAfterCrash(records.length, 1000);
    }

    private List<Kind> kinds() {
        return history.anomalies().stream().map(Anomaly::kind).toList();
    }

    @Test
    void aLogThatKeepsItsPromisesHasNone() {
        read(record(1, 0), record(1, 1), record(1, 2), record(2, 0));
        History.Reading live = history.reading(0, 1);
        live.record(1, record(1, 1));
        live.record(2, record(1, 2));
        live.endsLive(3);
        assertThat(kinds()).isEmpty();
        assertThat(history.acknowledgedRecords()).isEqualTo(3);
    }

    @Test
    void aGapInOffsetsIsNone() {
        History.Reading reading = history.reading(0, 2);
        reading.record(2, record(1, 2));
        reading.record(900, record(1, 3));
        reading.endsAfterCrash(901, 1000);
        assertThat(kinds()).isEmpty();
    }

    @Test
    void aTailThatIsMissingIsLostAndToldOnce() {
        read(record(1, 0));
        assertThat(kinds()).containsExactly(Kind.LOST, Kind.LOST);
        assertThat(history.oldestLostNs()).isEqualTo(1000 - 101);
        read(record(1, 0));
        assertThat(history.count(Kind.LOST)).isEqualTo(2);
    }

    @Test
    void aRecordMissingInTheMiddleIsLostInALiveReadingToo() {
        History.Reading reading = history.reading(0, 0);
        reading.record(0, record(1, 0));
        reading.record(2, record(1, 2));
        reading.endsLive(3);
        assertThat(kinds()).containsExactly(Kind.LOST);
        assertThat(history.anomalies().getFirst().offset()).isEqualTo(1);
    }

    @Test
    void aRecordThatIsThereTwiceIsDuplicated() {
        read(record(1, 0), record(1, 1), record(1, 2), record(1, 2));
        assertThat(kinds()).containsExactly(Kind.DUPLICATED);
    }

    @Test
    void aRecordBeforeAnEarlierOneIsReordered() {
        read(record(1, 0), record(1, 1), record(1, 2), record(2, 5), record(2, 4));
        assertThat(kinds()).containsExactly(Kind.REORDERED);
    }

    @Test
    void aRecordAtAnotherPlaceThanAcknowledgedIsReordered() {
        History.Reading reading = history.reading(0, 0);
        reading.record(0, record(1, 0));
        reading.record(1, record(1, 1));
        reading.record(3, record(1, 2));
        reading.endsLive(4);
        assertThat(kinds()).containsExactly(Kind.REORDERED);
    }

    @Test
    void anOffsetThatStandsForAnotherRecordIsReused() {
        read(record(1, 0), record(1, 1)); // record 2 is lost
        history.acknowledged(0, 2, record(2, 7), 2000); // and its offset given again
        assertThat(kinds()).containsExactly(Kind.LOST, Kind.REUSED_OFFSET);
    }

    @Test
    void anOffsetReusedAfterAReaderHadSeenItIsReusedThoughNobodyWasToldOfItsWrite() {
        History.Reading reading = history.reading(0, 3);
        reading.record(3, record(5, 0)); // never acknowledged
        history.acknowledged(0, 3, record(2, 7), 2000);
        assertThat(kinds()).containsExactly(Kind.REUSED_OFFSET);
    }

    @Test
    void anEndBelowWhatWasAcknowledgedBeforeIsStale() {
        History.Reading reading = history.reading(0, 0);
        history.acknowledged(0, 3, record(1, 3), 103); // while it reads: may be missed
        reading.record(0, record(1, 0));
        reading.record(1, record(1, 1));
        reading.endsLive(2);
        assertThat(kinds()).containsExactly(Kind.STALE);
        assertThat(history.count(Kind.LOST)).isZero();
    }

    @Test
    void bytesThatAreNoRecordAreTorn() {
        history.reading(0, 0).torn(1, "half a batch");
        assertThat(kinds()).containsExactly(Kind.TORN);
    }

    @Test
    void onlyTheFirstAreKeptAndAllAreCounted() {
        History few = new History(1);
        for (int i = 0; i < 5; i++) {
            few.acknowledged(0, i, record(1, i), 0);
        }
        read(few.reading(0, 0));
        assertThat(few.count(Kind.LOST)).isEqualTo(5);
        assertThat(few.anomalies()).hasSize(1);
    }

    @Test
    void contentThatChangedInAnyByteOrIsCutIsToldFromTheRecord() {
        byte[] content = record(3, 77).content(60);
        assertThat(NumberedRecord.of(ByteBuffer.wrap(content))).isEqualTo(record(3, 77));
        for (int i = 0; i < content.length; i++) {
            byte[] bent = content.clone();
            bent[i] ^= 4;
            assertThatThrownBy(() -> NumberedRecord.of(ByteBuffer.wrap(bent)))
                    .isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> NumberedRecord.of(ByteBuffer.wrap(Arrays.copyOf(content, 40))))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
