package dev.sluice.systemtest;

import dev.sluice.testbase.LastingPort;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// kill -9 of the broker in the middle of a produce run, again and again, while one idempotent producer goes on: it
/// sends again what was not acknowledged. Afterwards every acknowledged record must be there once, in order, and none
/// twice.
final class KillCampaign {
    private static final int RECORD_BYTES = 1_000;
    private static final int LEAST_RUN_MS = 300;
    private static final int MOST_RUN_MS = 1_500;
    private static final int WINDOW = 50_000;

    /// @param acknowledged records whose acknowledgement the producer saw
    /// @param stored       records in the log afterwards
    record Result(int kills, long acknowledged, long stored, long seed) {
        @Override
        public String toString() {
            return kills + " kills, " + acknowledged + " acknowledged, " + stored
                    + " stored, 0 lost, 0 twice, 0 out of order (seed " + seed + ")";
        }
    }

    private KillCampaign() {}

    static Result run(Path home, Path dataDir, int kills, long seed) throws IOException, InterruptedException {
        Random random = new Random(seed);
        int port = LastingPort.find();
        String topic = "killed";
        AtomicLong next = new AtomicLong();
        AtomicLong acknowledged = new AtomicLong();
        BitSet seen = new BitSet();
        AtomicReference<Exception> failure = new AtomicReference<>();
        AtomicBoolean stop = new AtomicBoolean();

        BrokerProcess broker = BrokerProcess.start(home, dataDir, port, List.of(), Map.of());
        try {
            Thread producing = Thread.ofPlatform().name("producer").start(() -> {
                try (KafkaProducer<byte[], byte[]> producer = producer(port)) {
                    while (!stop.get()) {
                        if (next.get() - acknowledged.get() > WINDOW) {
                            Thread.sleep(1);
                            continue;
                        }
                        long number = next.getAndIncrement();
                        var _ = producer.send(new ProducerRecord<>(topic, 0, null, value(number)), (_, e) -> {
                            if (e == null) {
                                synchronized (seen) {
                                    seen.set(Math.toIntExact(number));
                                }
                                acknowledged.incrementAndGet();
                            } else {
                                failure.compareAndSet(null, e);
                            }
                        });
                    }
                    producer.flush();
                } catch (Exception e) {
                    failure.compareAndSet(null, e);
                }
            });
            for (int kill = 0; kill < kills; kill++) {
                long target = acknowledged.get() + 1;
                while (acknowledged.get() < target && producing.isAlive()) {
                    Thread.sleep(1); // so that every kill hits a run that is under way
                }
                Thread.sleep(random.nextInt(LEAST_RUN_MS, MOST_RUN_MS));
                broker.kill();
                broker.close();
                broker = BrokerProcess.start(home, dataDir, port, List.of(), Map.of());
            }
            stop.set(true);
            producing.join();
            if (failure.get() != null) {
                throw new CampaignFailure("the producer failed (seed " + seed + "): " + failure.get());
            }
            return check(broker, topic, seen, acknowledged.get(), kills, seed);
        } finally {
            stop.set(true);
            broker.close();
        }
    }

    private static Result check(
            BrokerProcess broker, String topic, BitSet seen, long acknowledged, int kills, long seed) {
        long[] last = {-1};
        Load.readAll(broker.bootstrap(), topic, record -> {
            long number = ByteBuffer.wrap(record.value()).getLong();
            CampaignFailure.require(
                    record.value().length == RECORD_BYTES,
                    "offset " + record.offset() + " is torn (seed " + seed + ")");
            CampaignFailure.require(
                    number == last[0] + 1,
                    "record " + number + " follows record " + last[0] + " at offset " + record.offset() + " (seed "
                            + seed + ")");
            last[0] = number;
        });
        CampaignFailure.require(
                seen.length() - 1 <= last[0],
                "record " + (seen.length() - 1) + " was acknowledged and is lost: the log ends with " + last[0]
                        + " (seed " + seed + ")");
        return new Result(kills, acknowledged, last[0] + 1, seed);
    }

    private static byte[] value(long number) {
        byte[] value = new byte[RECORD_BYTES];
        ByteBuffer.wrap(value).putLong(number);
        return value;
    }

    private static KafkaProducer<byte[], byte[]> producer(int port) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "bootstrap.servers", "127.0.0.1:" + port,
                "acks", "all",
                "enable.idempotence", "true",
                "linger.ms", "2",
                "delivery.timeout.ms", "600000",
                "max.block.ms", "600000",
                "request.timeout.ms", "5000",
                "reconnect.backoff.ms", "10",
                "reconnect.backoff.max.ms", "100"));
        return new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
    }
}
