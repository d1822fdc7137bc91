package dev.sluice.broker.protocol;

import dev.sluice.io.memory.SlabPool;
import java.lang.foreign.MemorySegment;

/// What the answers to Produce and Fetch have in common: a list of topics, each a list of partitions.
///
/// The counts come first on the wire, and the request has them: for each topic `topic`, then as many partitions as it
/// was told. Who leads elsewhere is never told. Allocates nothing once the pool is warm. Reused; owned by one thread.
public abstract sealed class TopicsResponseWriter permits FetchResponseWriter, ProduceResponseWriter {
    final FrameWriter frame;
    int version;
    boolean flexible;
    private boolean byTopicId;
    private int topicsLeft;
    private int partitionsLeft;

    /// @param pool where frames' memory comes from; borrowed
    TopicsResponseWriter(SlabPool pool) {
        this.frame = new FrameWriter(pool);
    }

    /// Begins a frame; one left unfinished by an exception is abandoned.
    ///
    /// @param byTopicId whether topics are told by their ids
    void beginFrame(int correlationId, int version, boolean flexible, boolean byTopicId) {
        this.version = version;
        this.flexible = flexible;
        this.byTopicId = byTopicId;
        topicsLeft = 0;
        partitionsLeft = 0;
        frame.begin(correlationId, flexible);
    }

    void beginTopics(int topicCount) {
        topicsLeft = topicCount;
        frame.putCount(topicCount, flexible);
    }

    /// Begins a topic; up to version 12.
    ///
    /// @throws IllegalArgumentException when the name takes more than 32767 bytes; none that was parsed does
    public void topic(String name, int partitionCount) {
        assert !byTopicId;
        frame.putString(name, flexible);
        beginPartitions(partitionCount);
    }

    /// Begins a topic; from version 13.
    public void topic(long idHigh, long idLow, int partitionCount) {
        assert byTopicId;
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

    /// @param errorCode of Kafka's Errors, 0 for none
    void beginPartition(int index, short errorCode) {
        assert partitionsLeft > 0;
        partitionsLeft--;
        frame.putInt32(index);
        frame.putInt16(errorCode);
    }

    void endPartition() {
        if (flexible) {
            frame.putNoTags();
        }
        endTopicIfComplete();
    }

    private void endTopicIfComplete() {
        if (partitionsLeft == 0 && flexible) {
            frame.putNoTags();
        }
    }

    /// @param elsewhereBytes of the frame that are not in its memory
    /// @throws ArithmeticException when the frame exceeds 2 GiB, which its size field can't say; then abandon it
    MemorySegment endFrame(long elsewhereBytes) {
        assert topicsLeft == 0 && partitionsLeft == 0;
        if (flexible) {
            frame.putNoTags();
        }
        return frame.end(elsewhereBytes);
    }

    /// What was written to the memory: the frame, its size field included.
    public long lengthBytes() {
        return frame.position();
    }

    /// Gives up a frame that was begun and not ended; without one, does nothing.
    public void abandon() {
        frame.abandon();
    }
}
