package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BatchViewTest {
    private static final int LARGEST = 1 << 20;

    static Stream<Batches> batches() {
        return Stream.of(
                batch(),
                batch().records(100).timestampStep(3),
                batch().records(7).producer(4711, 3, Integer.MAX_VALUE - 2),
                batch().records(50).compression(Compression.gzip().build()),
                batch().records(50).compression(Compression.lz4().build()),
                batch().producer(1, 1, 0).transactional());
    }

    @ParameterizedTest
    @MethodSource("batches")
    void everyFieldReadsAsKafkaReadsIt(Batches built) {
        byte[] bytes = built.bytes();
        MutableRecordBatch kafka = MemoryRecords.readableRecords(ByteBuffer.wrap(bytes))
                .batchIterator()
                .next();
        BatchView view = Batches.view(bytes);

        assertThat(view.check(LARGEST)).isEqualTo(BatchProblem.NONE);
        assertThat(view.baseOffset()).isEqualTo(kafka.baseOffset());
        assertThat(view.lastOffset()).isEqualTo(kafka.lastOffset());
        assertThat(view.batchLengthBytes()).isEqualTo(kafka.sizeInBytes());
        assertThat(view.leaderEpoch()).isEqualTo(kafka.partitionLeaderEpoch());
        assertThat(view.magic()).isEqualTo(kafka.magic());
        assertThat(Integer.toUnsignedLong(view.crc())).isEqualTo(kafka.checksum());
        assertThat(view.maxTimestamp()).isEqualTo(kafka.maxTimestamp());
        assertThat(view.baseTimestamp()).isEqualTo(T0);
        assertThat(view.producerId()).isEqualTo(kafka.producerId());
        assertThat(view.hasProducerId()).isEqualTo(kafka.hasProducerId());
        assertThat(view.producerEpoch()).isEqualTo(kafka.producerEpoch());
        assertThat(view.baseSequence()).isEqualTo(kafka.baseSequence());
        assertThat(view.count()).isEqualTo(kafka.countOrNull());
        assertThat(view.isControl()).isEqualTo(kafka.isControlBatch());
        assertThat(view.isTransactional()).isEqualTo(kafka.isTransactional());
        assertThat(view.compression().name()).isEqualTo(kafka.compressionType().name());
        assertThat(Sequence.last(view.baseSequence(), view.lastOffsetDelta())).isEqualTo(kafka.lastSequence());
    }

    @Test
    void patchingKeepsTheChecksumGood() {
        BatchView view = batch().records(3).view();

        view.patch(1L << 40, 17);

        MutableRecordBatch kafka = MemoryRecords.readableRecords(ByteBuffer.wrap(Batches.bytesOf(view)))
                .batchIterator()
                .next();
        kafka.ensureValid();
        assertThat(kafka.baseOffset()).isEqualTo(1L << 40);
        assertThat(kafka.lastOffset()).isEqualTo((1L << 40) + 2);
        assertThat(kafka.partitionLeaderEpoch()).isEqualTo(17);
    }

    @Test
    void aBatchIsSeenWhereItLiesInLargerMemory() {
        byte[] bytes = batch().bytes();
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length + 20L);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 13, bytes.length);

        BatchView view = new BatchView().wrap(memory, memory.asByteBuffer(), 13, bytes.length);

        assertThat(view.check(LARGEST)).isEqualTo(BatchProblem.NONE);
        assertThat(Batches.bytesOf(view)).isEqualTo(bytes);
        assertThatThrownBy(() -> view.wrap(memory, memory.asByteBuffer(), 21, bytes.length))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    static Stream<Arguments> spoilt() {
        return Stream.of(
                spoilt(BatchProblem.NOT_ONE_BATCH, batch -> batch.putInt(8, batch.capacity() - 12 + 1)),
                spoilt(BatchProblem.NOT_ONE_BATCH, batch -> batch.putInt(8, Integer.MIN_VALUE)),
                spoilt(BatchProblem.NOT_ONE_BATCH, batch -> batch.putInt(8, Integer.MAX_VALUE)),
                spoilt(BatchProblem.WRONG_MAGIC, batch -> batch.put(16, (byte) 1)),
                spoilt(BatchProblem.WRONG_BASE_OFFSET, batch -> batch.putLong(0, 1)),
                spoilt(
                        BatchProblem.WRONG_CRC,
                        batch -> batch.put(batch.capacity() - 1, (byte) ~batch.get(batch.capacity() - 1))),
                spoilt(BatchProblem.WRONG_CRC, batch -> batch.putInt(17, 0)),
                sealed(BatchProblem.WRONG_COUNT, batch -> batch.putInt(57, 0)),
                sealed(BatchProblem.WRONG_COUNT, batch -> batch.putInt(57, -1)),
                sealed(BatchProblem.WRONG_COUNT, batch -> batch.putInt(57, 4)),
                sealed(BatchProblem.WRONG_COUNT, batch -> batch.putInt(23, -1)),
                sealed(
                        BatchProblem.WRONG_COUNT,
                        batch -> batch.putInt(57, Integer.MIN_VALUE).putInt(23, Integer.MAX_VALUE)),
                sealed(BatchProblem.CONTROL, batch -> batch.putShort(21, (short) 0x20)),
                sealed(BatchProblem.UNKNOWN_COMPRESSION, batch -> batch.putShort(21, (short) 5)),
                sealed(
                        BatchProblem.NEGATIVE_SEQUENCE,
                        batch -> batch.putLong(43, 7).putInt(53, -1)),
                sealed(BatchProblem.LOG_APPEND_TIME, batch -> batch.putShort(21, (short) 8)));
    }

    private static Arguments spoilt(BatchProblem expected, Consumer<ByteBuffer> spoil) {
        byte[] bytes = batch().records(3).bytes();
        spoil.accept(ByteBuffer.wrap(bytes));
        return Arguments.of(expected, bytes);
    }

    private static Arguments sealed(BatchProblem expected, Consumer<ByteBuffer> spoil) {
        byte[] bytes = batch().records(3).bytes();
        spoil.accept(ByteBuffer.wrap(bytes));
        return Arguments.of(expected, Batches.withCrc(bytes));
    }

    @ParameterizedTest
    @MethodSource("spoilt")
    void whatABrokerMustRefuseIsFound(BatchProblem expected, byte[] bytes) {
        assertThat(Batches.view(bytes).check(LARGEST)).isEqualTo(expected);
    }

    @Test
    void aBatchCutAnywhereIsNotOne() {
        byte[] bytes = batch().records(3).bytes();
        for (int length = 0; length < bytes.length; length++) {
            BatchView view = Batches.view(java.util.Arrays.copyOf(bytes, length));
            assertThat(view.check(LARGEST))
                    .isEqualTo(length < BatchView.HEADER_BYTES ? BatchProblem.TOO_SHORT : BatchProblem.NOT_ONE_BATCH);
        }
        assertThat(Batches.view(bytes).check(LARGEST)).isEqualTo(BatchProblem.NONE);
    }

    @Test
    void theLargestBatchIsTakenAndOneByteMoreIsNot() {
        BatchView view = batch().view();

        assertThat(view.check(view.lengthBytes())).isEqualTo(BatchProblem.NONE);
        assertThat(view.check(view.lengthBytes() - 1)).isEqualTo(BatchProblem.TOO_LARGE);
    }
}
