package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes the answer to a Produce request, version 3 to 13: [#begin]; for each topic `topic`, then [#partition]
/// as often as it was told; [#end].
///
/// The counts come first on the wire, and the request has them. Who leads elsewhere is never told. Allocates nothing
/// once the pool is warm. Reused; owned by one thread.
public final class ProduceResponseWriter {
    /// Error messages are cut to this many characters: they may quote what a client sent.
    static final int MESSAGE_CHARACTERS = 1024;

    private final FrameWriter frame;
    private int version;
    private boolean flexible;
    private int topicsLeft;
    private int partitionsLeft;

    /// @param pool where frames' memory comes from; borrowed
    public ProduceResponseWriter(SlabPool pool) {
        this.frame = new FrameWriter(pool);
    }

    /// Begins a frame, which is to be ended or abandoned. One left unfinished by an exception is abandoned here.
    ///
    /// @param version the request's
    public void begin(int correlationId, int version, int topicCount) {
        if (version < ProduceRequest.OLDEST_VERSION || version > ProduceRequest.NEWEST_VERSION) {
            throw new IllegalArgumentException("Produce has no version " + version);
        }
        this.version = version;
        flexible = ProduceRequest.isFlexible(version);
        topicsLeft = topicCount;
        partitionsLeft = 0;
        frame.begin(correlationId, flexible);
        frame.putCount(topicCount, flexible);
    }

    /// Begins a topic; up to version 12.
    ///
    /// @throws IllegalArgumentException when the name takes more than 32767 bytes; none that was parsed does
    public void topic(String name, int partitionCount) {
        assert !ProduceRequest.isByTopicId(version);
        frame.putString(name, flexible);
        beginPartitions(partitionCount);
    }

    /// Begins a topic; version 13.
    public void topic(long idHigh, long idLow, int partitionCount) {
        assert ProduceRequest.isByTopicId(version);
        frame.putInt64(idHigh);
        frame.putInt64(idLow);
        beginPartitions(partitionCount);
    }

    private void beginPartitions(int partitionCount) {
        assert topicsLeft > 0 && partitionsLeft == 0;
        topicsLeft--;
        partitionsLeft = partitionCount;
        frame.putCount(partitionCount, flexible);
        endTopicIfComplete();
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
        assert partitionsLeft > 0;
        partitionsLeft--;
        long place = frame.position();
        frame.putInt32(index);
        frame.putInt16(errorCode);
        frame.putInt64(baseOffset);
        frame.putInt64(logAppendTimeMs);
        if (version >= 5) {
            frame.putInt64(logStartOffset);
        }
        if (version >= 8) {
            putRecordErrors(recordErrors);
            putMessage(errorMessage);
        }
        if (flexible) {
            frame.putNoTags();
        }
        endTopicIfComplete();
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

    private void endTopicIfComplete() {
        if (partitionsLeft == 0 && flexible) {
            frame.putNoTags();
        }
    }

    /// Finishes the frame.
    ///
    /// @return memory of the pool, the frame in its first [#lengthBytes]; now the caller's, who gives it back to
    ///     the pool
    public MemorySegment end(int throttleTimeMs) {
        assert topicsLeft == 0 && partitionsLeft == 0;
        frame.putInt32(throttleTimeMs);
        if (flexible) {
            frame.putNoTags();
        }
        return frame.end(0);
    }

    /// The whole frame, its size field included.
    public long lengthBytes() {
        return frame.position();
    }

    /// Gives up a frame that was begun and not ended; without one, does nothing.
    public void abandon() {
        frame.abandon();
    }
}
