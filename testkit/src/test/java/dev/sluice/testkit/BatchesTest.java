package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// That batches are what they say: kafka-clients is asked.
class BatchesTest {
    private static MutableRecordBatch only(byte[] bytes) {
        List<MutableRecordBatch> batches = new ArrayList<>();
        MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches().forEach(batches::add);
        assertThat(batches).hasSize(1);
        return batches.getFirst();
    }

    @ParameterizedTest
    @EnumSource(CompressionType.class)
    void aBatchOfEveryCodecIsReadByKafka(CompressionType codec) {
        MutableRecordBatch batch = only(
                Batches.of("a", "b", "c").compressedBy(codec).producer(7, 1, 5).bytes());

        batch.ensureValid();
        List<String> values = new ArrayList<>();
        for (Record each : batch) {
            values.add(StandardCharsets.UTF_8.decode(each.value()).toString());
        }
        assertThat(values).containsExactly("a", "b", "c");
        assertThat(batch.compressionType()).isEqualTo(codec);
        assertThat(batch.producerId()).isEqualTo(7);
        assertThat(batch.baseSequence()).isEqualTo(5);
        assertThat(batch.baseOffset()).isZero();
    }

    @Test
    void brokenBatchesAreBrokenInOneWay() {
        byte[] good = Batches.of("a", "b").producer(7, 0, 0).bytes();

        assertThatThrownBy(only(Batches.withWrongCrc(good))::ensureValid).hasMessageContaining("crc");
        assertThatThrownBy(only(Batches.withFlippedByte(good))::ensureValid).hasMessageContaining("crc");
        only(Batches.withCount(good, 5)).ensureValid();
        assertThat(((DefaultRecordBatch) only(Batches.withCount(good, 5))).countOrNull())
                .isEqualTo(5);
        only(Batches.withSequence(good, -2)).ensureValid();
        assertThat(only(Batches.asControl(good)).isControlBatch()).isTrue();
        only(Batches.asControl(good)).ensureValid();
        assertThat(only(Batches.of("a").producer(7, 0, 0).transactional().bytes())
                        .isTransactional())
                .isTrue();
        only(Batches.stored(good, 1234, 5)).ensureValid();
        assertThat(only(Batches.stored(good, 1234, 5)).lastOffset()).isEqualTo(1235);
        assertThat(only(Batches.stored(good, 1234, 5)).partitionLeaderEpoch()).isEqualTo(5);
    }
}
