package dev.sluice.systemtest;

import java.io.DataInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceDataCollection;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/// A client that is ready before the broker is: it knocks until somebody answers, and produces one record, so that what
/// is measured is the broker's start and not the client's.
@SuppressWarnings("ByteBufferBackingArray") // its buffers are allocated here, at array offset 0
final class FirstAck {
    private static final short METADATA_VERSION = 4;
    private static final short PRODUCE_VERSION = 8;
    private static final Duration BOUND = Duration.ofSeconds(60);

    private FirstAck() {}

    /// Builds and encodes everything once, so that the classes are loaded.
    static void warmUp() {
        metadata("warm");
        produce("warm");
    }

    /// Waits until a record in `topic` (made on demand) is acknowledged.
    static void await(int port, String topic) throws IOException, InterruptedException {
        ByteBuffer metadata = metadata(topic);
        ByteBuffer produce = produce(topic);
        long deadlineNs = System.nanoTime() + BOUND.toNanos();
        while (true) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setTcpNoDelay(true);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                socket.getOutputStream().write(metadata.array(), 0, metadata.limit());
                in.readNBytes(in.readInt());
                socket.getOutputStream().write(produce.array(), 0, produce.limit());
                ByteBuffer answer = ByteBuffer.wrap(in.readNBytes(in.readInt())).position(Integer.BYTES);
                short error = new ProduceResponseData(new ByteBufferAccessor(answer), PRODUCE_VERSION)
                        .responses()
                        .iterator()
                        .next()
                        .partitionResponses()
                        .getFirst()
                        .errorCode();
                CampaignFailure.require(error == 0, "the first record got the error " + error);
                return;
            } catch (ConnectException e) {
                CampaignFailure.require(System.nanoTime() - deadlineNs < 0, "no broker answers on port " + port);
                Thread.sleep(1);
            }
        }
    }

    private static ByteBuffer metadata(String topic) {
        return frame(
                ApiKeys.METADATA,
                METADATA_VERSION,
                new MetadataRequestData().setTopics(List.of(new MetadataRequestTopic().setName(topic))));
    }

    private static ByteBuffer produce(String topic) {
        TopicProduceDataCollection topics = new TopicProduceDataCollection();
        topics.add(new TopicProduceData()
                .setName(topic)
                .setPartitionData(List.of(new PartitionProduceData()
                        .setRecords(MemoryRecords.withRecords(
                                Compression.NONE, new SimpleRecord(System.currentTimeMillis(), new byte[100]))))));
        return frame(
                ApiKeys.PRODUCE,
                PRODUCE_VERSION,
                new ProduceRequestData()
                        .setAcks((short) -1)
                        .setTimeoutMs(30_000)
                        .setTopicData(topics));
    }

    private static ByteBuffer frame(ApiKeys key, short version, ApiMessage body) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(key.id)
                .setRequestApiVersion(version)
                .setCorrelationId(1)
                .setClientId("first-ack");
        short headerVersion = key.requestHeaderVersion(version);
        int size = header.size(cache, headerVersion) + body.size(cache, version);
        ByteBuffer frame = ByteBuffer.allocate(Integer.BYTES + size);
        frame.putInt(size);
        ByteBufferAccessor out = new ByteBufferAccessor(frame);
        header.write(out, cache, headerVersion);
        body.write(out, cache, version);
        return frame.flip();
    }
}
