package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.Fuzz;
import dev.sluice.broker.config.RecordRules;
import dev.sluice.broker.config.TopicKeys;
import dev.sluice.broker.config.TopicSettings;
import dev.sluice.io.memory.SlabPool;
import dev.sluice.log.BatchProblem;
import dev.sluice.log.BatchView;
import dev.sluice.testkit.Batches;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.PrimitiveRef;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogValidator;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.jspecify.annotations.Nullable;

/// Record batches for [RecordAdmission] and for Kafka's `LogValidator`.
///
/// ```
///   input:  u8 what the topic asks for (bits 0–2 compression, 3 append time, 4 keys, 5 a window of an hour behind,
///           6 mend the CRC), then the batch
/// ```
///
/// What must hold: nothing but a refusal comes of bytes that are no records, and no memory of the pool is left taken.
/// What Kafka takes, we take, and the records are the same afterwards. What Kafka refuses for its keys or timestamps,
/// we refuse wherever somebody looks at the records. Kafka looks deeper into records that nobody asked to see; we store
/// them as they came.
public final class AdmissionFuzz implements Fuzz.Target {
    private static final int MOST_BYTES = 4 << 20;
    private static final int LARGEST_BATCH_BYTES = 1 << 20;
    private static final long NOW_MS = Batches.T0_MS + 1000;
    private static final List<String> COMPRESSIONS =
            List.of("producer", "uncompressed", "gzip", "snappy", "lz4", "zstd", "producer", "producer");

    /// Why we refuse what Kafka takes: it would unfold to too much; or its records don't count up from 0, which
    /// Kafka doesn't look at where they are not compressed.
    private static final List<String> JUSTIFIED = List.of("which is socket.request.max.bytes", "has the offset delta");

    private final SlabPool slabs = new SlabPool();
    private final RecordAdmission admission = new RecordAdmission(slabs, MOST_BYTES);

    @Override
    public void run(byte[] input) {
        if (input.length == 0) {
            return;
        }
        byte[] bytes = Arrays.copyOfRange(input, 1, input.length);
        int asked = input[0];
        if ((asked & 0x40) != 0) {
            Batches.mendCrcs(bytes, 0, bytes.length);
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
            BatchView batch = new BatchView().wrap(memory, memory.asByteBuffer(), 0, bytes.length);
            if (batch.check(LARGEST_BATCH_BYTES) != BatchProblem.NONE) {
                return;
            }
            RecordRules rules = rules(asked);
            boolean admitted = admission.admit(batch, rules, LARGEST_BATCH_BYTES, NOW_MS);
            compare(bytes, rules, admitted ? admission.batch() : null);
        } finally {
            admission.release();
        }
        assertThat(slabs.taken()).as("slabs left").isZero();
    }

    private static RecordRules rules(int asked) {
        Map<String, String> configs = new LinkedHashMap<>();
        configs.put("compression.type", COMPRESSIONS.get(asked & 7));
        configs.put("message.timestamp.type", (asked & 8) != 0 ? "LogAppendTime" : "CreateTime");
        configs.put("cleanup.policy", (asked & 16) != 0 ? "compact" : "delete");
        if ((asked & 32) != 0) {
            configs.put("message.timestamp.before.max.ms", "3600000");
        }
        return TopicKeys.settings(TopicSettings.DEFAULT, configs).records();
    }

    private void compare(byte[] produced, RecordRules rules, @Nullable BatchView ours) {
        MemoryRecords kafkas;
        try {
            kafkas = validate(produced, rules);
        } catch (RuntimeException e) {
            if (ours != null && isAboutKeysOrTime(e, rules)) {
                throw new AssertionError("taken, though Kafka says: " + e.getMessage(), e);
            }
            return;
        }
        if (ours == null) {
            assertThat(JUSTIFIED)
                    .as("Kafka takes it: %s", admission.message())
                    .anyMatch(String.valueOf(admission.message())::contains);
            return;
        }
        MemoryRecords stored = MemoryRecords.readableRecords(
                ByteBuffer.wrap(ours.bytes().asSlice(0, ours.lengthBytes()).toArray(ValueLayout.JAVA_BYTE)));
        assertThat(describe(stored)).isEqualTo(describe(kafkas));
    }

    private static boolean isAboutKeysOrTime(RuntimeException e, RecordRules rules) {
        if (!(e instanceof RecordValidationException refused)
                || refused.recordErrors().isEmpty()) {
            return false;
        }
        boolean aboutTime = refused.invalidException() instanceof InvalidTimestampException;
        return rules.keysRequired() || (aboutTime && rules.beforeMaxMs() != Long.MAX_VALUE);
    }

    private static MemoryRecords validate(byte[] produced, RecordRules rules) {
        MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(produced.clone()));
        CompressionType source = records.batches().iterator().next().compressionType();
        CompressionType target = rules.compression() == null
                ? source
                : CompressionType.forName(rules.compression().name().toLowerCase(Locale.ROOT));
        LogValidator validator = new LogValidator(
                records,
                new TopicPartition("topic", 0),
                new StoppedTime(),
                source,
                Compression.of(target).build(),
                rules.keysRequired(),
                RecordBatch.CURRENT_MAGIC_VALUE,
                rules.logAppendTime() ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME,
                rules.beforeMaxMs(),
                rules.afterMaxMs(),
                0,
                AppendOrigin.CLIENT);
        return validator
                .validateMessagesAndAssignOffsets(PrimitiveRef.ofLong(0), new NoMetrics(), BufferSupplier.NO_CACHING)
                .validatedRecords();
    }

    private static List<String> describe(MemoryRecords records) {
        List<String> lines = new ArrayList<>();
        for (MutableRecordBatch batch : records.batches()) {
            batch.ensureValid();
            lines.add(batch.compressionType() + " " + batch.timestampType() + " " + batch.producerId() + " "
                    + batch.producerEpoch() + " " + batch.baseSequence() + " " + batch.isTransactional());
            for (Record record : batch) {
                lines.add(record.offset() + " " + record.timestamp() + " " + hash(record.key()) + " "
                        + hash(record.value()) + " " + Arrays.toString(record.headers()));
            }
        }
        return lines;
    }

    private static String hash(@Nullable ByteBuffer bytes) {
        return bytes == null ? "null" : bytes.remaining() + ":" + bytes.hashCode();
    }

    private static final class StoppedTime implements Time {
        @Override
        public long milliseconds() {
            return NOW_MS;
        }

        @Override
        public long nanoseconds() {
            return 0;
        }

        @Override
        public void sleep(long ms) {
            throw new UnsupportedOperationException("nobody sleeps in a validation");
        }

        @Override
        public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
            throw new UnsupportedOperationException("nobody waits in a validation");
        }
    }

    private static final class NoMetrics implements LogValidator.MetricsRecorder {
        @Override
        public void recordInvalidMagic() {}

        @Override
        public void recordInvalidOffset() {}

        @Override
        public void recordInvalidSequence() {}

        @Override
        public void recordInvalidChecksums() {}

        @Override
        public void recordNoKeyCompactedTopic() {}
    }

    @Override
    public List<byte[]> seeds() {
        List<byte[]> seeds = new ArrayList<>();
        for (int asked : new int[] {0, 1, 2, 3, 4, 5, 8, 16, 32, 48, 45}) {
            for (CompressionType type : CompressionType.values()) {
                byte[] batch = Batches.of("one", "two")
                        .record(Batches.T0_MS - 3_700_000, "key", "old")
                        .record(Batches.T0_MS + 3_700_000, "key", "new")
                        .compressedBy(type)
                        .bytes();
                seeds.add(seed(asked, batch));
                seeds.add(seed(
                        asked,
                        Batches.of()
                                .record(Batches.T0_MS, "key", "value")
                                .compressedBy(type)
                                .producer(7, 1, 5)
                                .bytes()));
            }
        }
        return seeds;
    }

    private static byte[] seed(int asked, byte[] batch) {
        ByteArrayOutputStream seed = new ByteArrayOutputStream();
        seed.write(asked | 0x40);
        seed.writeBytes(batch);
        return seed.toByteArray();
    }
}
