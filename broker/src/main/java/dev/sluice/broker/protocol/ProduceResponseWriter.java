package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes the answer to a Produce request, version 3 to 13: [#begin]; for each topic `topic`, then [#partition]
/// as often as it was told; [#end].
public final class ProduceResponseWriter extends TopicsResponseWriter {
    /// Error messages are cut to this many characters: they may quote what a client sent.
    static final int MESSAGE_CHARACTERS = 1024;

    /// @param pool where frames' memory comes from; borrowed
    public ProduceResponseWriter(SlabPool pool) {
        super(pool);
    }

    /// Begins a frame, which is to be ended or abandoned. One left unfinished by an exception is abandoned here.
    ///
    /// @param version the request's
    public void begin(int correlationId, int version, int topicCount) {
        if (version < ProduceRequest.OLDEST_VERSION || version > ProduceRequest.NEWEST_VERSION) {
            throw new IllegalArgumentException("Produce has no version " + version);
        }
        beginFrame(correlationId, version, ProduceRequest.isFlexible(version), ProduceRequest.isByTopicId(version));
        beginTopics(topicCount);
    }

    /// Writes a partition of the topic.
    ///
    /// @return where it stands in the frame, for [#fail]
    /// @param errorCode       of Kafka's Errors, 0 for none
    /// @param baseOffset      of the first record; −1 with an error
    /// @param logAppendTimeMs −1 when the records kept the time of their creation
    /// @param logStartOffset  −1 when not known; told from version 5
    /// @param errorMessage    for people; told from version 8, as is
    /// @param recordErrors    for which records the batch is refused
    public long partition(
            int index,
            short errorCode,
            long baseOffset,
            long logAppendTimeMs,
            long logStartOffset,
            @Nullable String errorMessage,
            List<RecordAdmission.RecordError> recordErrors) {
        long place = frame.position();
        beginPartition(index, errorCode);
        frame.putInt64(baseOffset);
        frame.putInt64(logAppendTimeMs);
        if (version >= 5) {
            frame.putInt64(logStartOffset);
        }
        if (version >= 8) {
            putRecordErrors(recordErrors);
            putMessage(errorMessage);
        }
        endPartition();
        return place;
    }

    /// Makes an error of what was written as a success, in a frame that is ended.
    ///
    /// @param place what [#partition] answered
    public static void fail(MemorySegment frame, long place, short errorCode) {
        frame.set(Wire.INT16, place + Integer.BYTES, errorCode);
        frame.set(Wire.INT64, place + Integer.BYTES + Short.BYTES, -1); // the base offset
    }

    private void putRecordErrors(List<RecordAdmission.RecordError> recordErrors) {
        frame.putCount(recordErrors.size(), flexible);
        for (int i = 0; i < recordErrors.size(); i++) {
            frame.putInt32(recordErrors.get(i).index());
            putMessage(recordErrors.get(i).message());
            if (flexible) {
                frame.putNoTags();
            }
        }
    }

    private void putMessage(@Nullable String message) {
        if (message == null) {
            frame.putNullString(flexible);
        } else if (message.length() <= MESSAGE_CHARACTERS) {
            frame.putString(message, flexible);
        } else {
            frame.putString(message.substring(0, MESSAGE_CHARACTERS), flexible);
        }
    }

    /// Finishes the frame.
    ///
    /// @return memory of the pool, the frame in its first [#lengthBytes]; now the caller's, who gives it back to
    ///     the pool
    public MemorySegment end(int throttleTimeMs) {
        frame.putInt32(throttleTimeMs);
        return endFrame(0);
    }
}
