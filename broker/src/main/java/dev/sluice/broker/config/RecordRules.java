package dev.sluice.broker.config;

import dev.sluice.log.Compression;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What a topic asks of the records that are produced to it. By default nothing that needs a look at them: batches are
/// stored as they come.
///
/// @param compression   `compression.type`: what records are stored with; null leaves them as the producer sent them
/// @param gzipLevel     `compression.gzip.level`; −1 is the codec's own default
/// @param lz4Level      `compression.lz4.level`
/// @param zstdLevel     `compression.zstd.level`
/// @param logAppendTime `message.timestamp.type` is LogAppendTime: the broker's clock, not the producer's
/// @param beforeMaxMs   `message.timestamp.before.max.ms`: how far behind the broker's clock a producer's time may be
/// @param afterMaxMs    `message.timestamp.after.max.ms`: how far before it
/// @param keysRequired  `cleanup.policy` has `compact`: what has no key could never be compacted
public record RecordRules(
        @Nullable Compression compression,
        int gzipLevel,
        int lz4Level,
        int zstdLevel,
        boolean logAppendTime,
        long beforeMaxMs,
        long afterMaxMs,
        boolean keysRequired) {

    /// Kafka's defaults.
    public static final RecordRules DEFAULT = new RecordRules(null, -1, 9, 3, false, Long.MAX_VALUE, 3_600_000, false);

    /// The same rules but for what `change` sets.
    RecordRules with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.rules();
    }

    /// Rules that are being made; the fields are the record's.
    static final class Draft {
        @Nullable Compression compression;

        int gzipLevel;
        int lz4Level;
        int zstdLevel;
        boolean logAppendTime;
        long beforeMaxMs;
        long afterMaxMs;
        boolean keysRequired;

        private Draft(RecordRules rules) {
            compression = rules.compression;
            gzipLevel = rules.gzipLevel;
            lz4Level = rules.lz4Level;
            zstdLevel = rules.zstdLevel;
            logAppendTime = rules.logAppendTime;
            beforeMaxMs = rules.beforeMaxMs;
            afterMaxMs = rules.afterMaxMs;
            keysRequired = rules.keysRequired;
        }

        private RecordRules rules() {
            return new RecordRules(
                    compression, gzipLevel, lz4Level, zstdLevel, logAppendTime, beforeMaxMs, afterMaxMs, keysRequired);
        }
    }
}
