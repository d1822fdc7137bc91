package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.testkit.LeakCounter;
import dev.sluice.testkit.Seeds;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A group under load whose members join, leave, die and pause, in a random order: every record is consumed, no offset
/// is committed before its records were consumed, and no committed offset moves back.
@ExtendWith(LeakCounter.class)
@Timeout(180)
class RebalanceTest {
    private static final String TOPIC = "topic";
    private static final String GROUP = "group";
    private static final int PARTITIONS = 6;
    private static final int EVENTS = 8;
    private static final int MOST_MEMBERS = 4;

    /// Records consumed between two events.
    private static final int PROGRESS = 300;

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final CloseOptions DIE = CloseOptions.groupMembershipOperation(
                    CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP)
            .withTimeout(Duration.ZERO);

    /// What was consumed, by any member.
    private static final class Consumed {
        private final List<Map<Long, Boolean>> offsets = new ArrayList<>();
        private final AtomicLong count = new AtomicLong();

        /// How many more may be produced: as fast as they are consumed, so that there is something to do at any
        /// time and an end to it.
        private final Semaphore room = new Semaphore(5_000);

        Consumed() {
            for (int i = 0; i < PARTITIONS; i++) {
                offsets.add(new ConcurrentHashMap<>());
            }
        }

        void add(ConsumerRecord<String, String> record) {
            if (offsets.get(record.partition()).put(record.offset(), true) == null) {
                count.incrementAndGet();
                room.release();
            }
        }

        void requireAll(int partition, long from, long to) {
            for (long offset = from; offset < to; offset++) {
                assertThat(offsets.get(partition)).containsKey(offset);
            }
        }
    }

    /// A member on a thread of its own.
    private static final class Member {
        private enum Wish {
            RUN,
            LEAVE,
            DIE
        }

        private final Consumed consumed;
        private volatile Wish wish = Wish.RUN;
        private volatile CountDownLatch pause = new CountDownLatch(0);
        private Future<?> running;

        Member(Consumed consumed) {
            this.consumed = consumed;
        }

        void run(String bootstrap, String protocol) throws InterruptedException {
            KafkaConsumer<String, String> consumer = GroupClients.consumer(
                    bootstrap, protocol, GROUP, "max.poll.interval.ms", "2000", "max.poll.records", "50");
            try {
                consumer.subscribe(List.of(TOPIC));
                while (wish == Wish.RUN) {
                    pause.await();
                    step(consumer);
                }
            } finally {
                if (wish == Wish.DIE) {
                    consumer.close(DIE);
                } else {
                    consumer.close();
                }
            }
        }

        private void step(KafkaConsumer<String, String> consumer) {
            ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(50));
            records.forEach(consumed::add);
            if (!records.isEmpty()) {
                try {
                    consumer.commitSync();
                } catch (CommitFailedException | RebalanceInProgressException e) {
                    // Somebody else has the partitions by now, and consumes these records again.
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"classic", "consumer"})
    void everyRecordIsConsumedAndNoCommitMovesBack(String protocol, @TempDir Path folder) {
        Seeds.run(random -> {
            try (TestBroker broker = TestBroker.start(folder.resolve("data"), GroupClients.QUICK_SESSIONS);
                    ExecutorService threads = Executors.newCachedThreadPool()) {
                try (TestClient client = broker.client()) {
                    client.create(TOPIC, PARTITIONS);
                }
                new Run(broker, protocol, random, threads).go();
            }
        });
    }

    private static final class Run {
        private final TestBroker broker;
        private final String protocol;
        private final Random random;
        private final ExecutorService threads;
        private final Consumed consumed = new Consumed();
        private final AtomicLongArray produced = new AtomicLongArray(PARTITIONS);
        private final List<Member> members = new ArrayList<>();
        private final List<Member> gone = new ArrayList<>();
        private Future<?> producer;
        private Future<long[]> watcher;
        private volatile boolean producing = true;
        private volatile boolean watching = true;

        Run(TestBroker broker, String protocol, Random random, ExecutorService threads) {
            this.broker = broker;
            this.protocol = protocol;
            this.random = random;
            this.threads = threads;
        }

        void go() throws Exception {
            producer = threads.submit(this::produce);
            watcher = threads.submit(this::watch);
            try {
                join();
                join();
                for (int i = 0; i < EVENTS; i++) {
                    awaitProgress();
                    event();
                }
                producing = false;
                producer.get();
                long all = 0;
                for (int i = 0; i < PARTITIONS; i++) {
                    all += produced.get(i);
                }
                long wanted = all;
                await().atMost(PATIENCE).until(() -> {
                    requireNobodyFailed();
                    return consumed.count.get() == wanted;
                });
            } finally {
                producing = false;
                members.forEach(member -> member.wish = Member.Wish.LEAVE);
                members.forEach(member -> member.pause.countDown());
                for (Member member : members) {
                    member.running.get();
                }
                watching = false;
            }
            requireNobodyFailed();
            long[] committed = watcher.get();
            for (int i = 0; i < PARTITIONS; i++) {
                consumed.requireAll(i, 0, produced.get(i));
                assertThat(committed[i]).isPositive();
            }
        }

        private void produce() {
            try (KafkaProducer<byte[], byte[]> client = new KafkaProducer<>(
                    Map.of("bootstrap.servers", broker.bootstrap(), "linger.ms", "1"),
                    new ByteArraySerializer(),
                    new ByteArraySerializer())) {
                while (producing) {
                    if (!consumed.room.tryAcquire(PARTITIONS * 5, 100, TimeUnit.MILLISECONDS)) {
                        continue;
                    }
                    List<Future<?>> sent = new ArrayList<>();
                    for (int i = 0; i < PARTITIONS * 5; i++) {
                        sent.add(client.send(new ProducerRecord<>(TOPIC, i % PARTITIONS, null, new byte[10])));
                    }
                    for (Future<?> each : sent) {
                        each.get();
                    }
                    for (int i = 0; i < PARTITIONS; i++) {
                        produced.addAndGet(i, 5);
                    }
                }
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }

        /// @return what was committed last
        private long[] watch() throws Exception {
            long[] committed = new long[PARTITIONS];
            try (Admin admin = GroupClients.admin(broker.bootstrap())) {
                boolean last;
                do {
                    last = !watching;
                    Map<TopicPartition, OffsetAndMetadata> now = admin.listConsumerGroupOffsets(GROUP)
                            .partitionsToOffsetAndMetadata()
                            .get();
                    now.forEach((partition, offset) -> {
                        int index = partition.partition();
                        assertThat(offset.offset())
                                .as("committed of %s", partition)
                                .isGreaterThanOrEqualTo(committed[index]);
                        consumed.requireAll(index, committed[index], offset.offset());
                        committed[index] = offset.offset();
                    });
                } while (!last);
            }
            return committed;
        }

        private void awaitProgress() {
            long target = consumed.count.get() + PROGRESS;
            await().atMost(PATIENCE).until(() -> {
                requireNobodyFailed();
                return consumed.count.get() >= target;
            });
        }

        private void requireNobodyFailed() throws Exception {
            for (Future<?> thread : threads()) {
                if (thread.isDone()) {
                    thread.get();
                }
            }
        }

        private List<Future<?>> threads() {
            List<Future<?>> all = new ArrayList<>(List.of(producer, watcher));
            members.forEach(member -> all.add(member.running));
            gone.forEach(member -> all.add(member.running));
            return all;
        }

        private void join() {
            Member member = new Member(consumed);
            member.running = threads.submit(() -> {
                member.run(broker.bootstrap(), protocol);
                return null;
            });
            members.add(member);
        }

        private void event() {
            if (members.size() < 2 || (members.size() < MOST_MEMBERS && random.nextInt(3) == 0)) {
                join();
                return;
            }
            Member chosen = members.remove(random.nextInt(members.size()));
            switch (random.nextInt(3)) {
                case 0 -> chosen.wish = Member.Wish.LEAVE;
                case 1 -> chosen.wish = Member.Wish.DIE;
                default -> {
                    pauseUntilMissed(chosen);
                    return;
                }
            }
            gone.add(chosen);
        }

        /// Longer than it may between two polls: its partitions go to others, and it joins again.
        private void pauseUntilMissed(Member chosen) {
            CountDownLatch latch = new CountDownLatch(1);
            chosen.pause = latch;
            long before = consumed.count.get();
            // The others have consumed what was ready, and what came to them since.
            await().atMost(PATIENCE).until(() -> consumed.count.get() >= before + PROGRESS);
            latch.countDown();
            members.add(chosen);
        }
    }
}
