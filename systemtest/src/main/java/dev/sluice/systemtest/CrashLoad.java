package dev.sluice.systemtest;

import dev.sluice.testkit.History;
import dev.sluice.testkit.NumberedRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.protocol.Errors;

/// Producers and a reader that go on through every crash: what was not acknowledged is sent again, as it was, and what
/// was is never sent again.
///
/// Two producers share a partition. Each has one batch under way; between a crash and the next start all wait.
final class CrashLoad implements AutoCloseable {
    static final int PARTITIONS = 4;
    private static final int PRODUCERS = 8;
    private static final int MOST_RECORDS = 4;
    private static final int MOST_BYTES = 600;
    /// A batch in so many is of longer records, so that a crash finds one half written, and files fill up.
    private static final int LONG_EVERY = 8;
    private static final int MOST_LONG_BYTES = 30_000;
    private static final int READER_WAIT_MS = 20;

    private final int port;
    private final History history;
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicLong acknowledged = new AtomicLong();
    /// What was answered while nothing had happened to the broker; read by the thread that crashes it.
    private final AtomicReference<String> complaint = new AtomicReference<>();

    // Guarded by this.
    private int generation;
    private boolean up;
    private boolean crashing;
    private boolean stopped;
    private final long[] readFrom = new long[PARTITIONS];

    CrashLoad(int port, History history, long seed) {
        this.port = port;
        this.history = history;
        Random seeds = new Random(seed);
        for (int i = 0; i < PRODUCERS; i++) {
            int number = i;
            Random random = new Random(seeds.nextLong());
            threads.add(Thread.ofPlatform().name("producer-" + i).start(() -> run(new Producer(number, random))));
        }
        threads.add(Thread.ofPlatform().name("reader").start(() -> run(this::read)));
    }

    /// What one client does between a start of the broker and its end.
    private interface Work {
        /// Returns when it is to stop.
        /// @throws IOException when the connection has ended
        void run(CrashClient client, int inGeneration) throws IOException;
    }

    private void run(Work work) {
        int last = 0;
        while (true) {
            int now = awaitUpAfter(last);
            if (now < 0) {
                return;
            }
            last = now;
            try (CrashClient client = CrashClient.connect(port)) {
                work.run(client, now);
            } catch (IOException e) {
                complainUnlessCrashing(now, "a connection ended: " + e);
            } catch (RuntimeException | Error e) {
                complaint.compareAndSet(null, "a client failed: " + e);
            }
        }
    }

    // ---- The phases, driven by the thread that crashes the broker

    /// The broker serves.
    ///
    /// @param ends where each partition ends now
    synchronized void up(long[] ends) {
        System.arraycopy(ends, 0, readFrom, 0, PARTITIONS);
        generation++;
        up = true;
        crashing = false;
        notifyAll();
    }

    /// The broker is about to be ended: what it answers from now on is no complaint.
    synchronized void crashing() {
        crashing = true;
        up = false;
    }

    private synchronized int awaitUpAfter(int last) {
        while (!stopped && (!up || generation <= last)) {
            try {
                wait();
            } catch (InterruptedException e) {
                return -1;
            }
        }
        return stopped ? -1 : generation;
    }

    private synchronized boolean goesOn(int inGeneration) {
        return up && !stopped && generation == inGeneration;
    }

    private synchronized void complainUnlessCrashing(int inGeneration, String what) {
        if (generation == inGeneration && !crashing && !stopped) {
            complaint.compareAndSet(null, what);
        }
    }

    /// Waits until so many more records were acknowledged.
    void awaitAcknowledged(long more, long boundNs) throws InterruptedException {
        long target = acknowledged.get() + more;
        long startNs = System.nanoTime();
        while (acknowledged.get() < target) {
            requireNoComplaint();
            CampaignFailure.require(
                    System.nanoTime() - startNs < boundNs,
                    "only " + (acknowledged.get() - target + more) + " of " + more + " records were acknowledged in "
                            + boundNs / 1_000_000_000 + " s");
            Thread.sleep(1);
        }
    }

    void requireNoComplaint() {
        CampaignFailure.require(complaint.get() == null, complaint.get());
    }

    @Override
    public void close() throws InterruptedException {
        synchronized (this) {
            stopped = true;
            notifyAll();
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    // ---- The clients

    private final class Producer implements Work {
        private final int number;
        private final Random random;
        private CrashClient.ProducerIdentity identity;
        private int sequence;
        private long next;
        /// The batch that is not acknowledged yet.
        private List<byte[]> pending = List.of();

        private Producer(int number, Random random) {
            this.number = number;
            this.random = random;
        }

        @Override
        public void run(CrashClient client, int inGeneration) throws IOException {
            int partition = number % PARTITIONS;
            while (goesOn(inGeneration)) {
                if (identity == null) {
                    identity = client.newProducer();
                    sequence = 0;
                }
                if (pending.isEmpty()) {
                    pending = newBatch();
                }
                CrashClient.Stored stored = client.produce(partition, identity, sequence, pending);
                switch (stored.error()) {
                    case NONE -> acknowledged(partition, stored.baseOffset());
                    case OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID ->
                        identity = null; // batches before it were lost: it begins anew, as Kafka's producer does
                    default -> {
                        complainUnlessCrashing(inGeneration, "a batch was refused: " + stored.error());
                        return;
                    }
                }
            }
        }

        private List<byte[]> newBatch() {
            List<byte[]> contents = new ArrayList<>();
            int count = 1 + random.nextInt(MOST_RECORDS);
            int mostBytes = random.nextInt(LONG_EVERY) == 0 ? MOST_LONG_BYTES : MOST_BYTES;
            for (int i = 0; i < count; i++) {
                int length = random.nextInt(NumberedRecord.LEAST_BYTES, mostBytes);
                contents.add(new NumberedRecord(number, next + i).content(length));
            }
            return contents;
        }

        private void acknowledged(int partition, long baseOffset) {
            long nowNs = System.nanoTime();
            for (int i = 0; i < pending.size(); i++) {
                history.acknowledged(partition, baseOffset + i, new NumberedRecord(number, next + i), nowNs);
            }
            CrashLoad.this.acknowledged.addAndGet(pending.size());
            next += pending.size();
            sequence += pending.size();
            pending = List.of();
        }
    }

    private void read(CrashClient client, int inGeneration) throws IOException {
        long[] next;
        synchronized (this) {
            next = readFrom.clone();
        }
        while (goesOn(inGeneration)) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                History.Reading reading = history.reading(partition, next[partition]);
                CrashClient.Fetched fetched = client.fetch(partition, next[partition], READER_WAIT_MS, reading);
                if (fetched.error() != Errors.NONE) {
                    complainUnlessCrashing(inGeneration, "a fetch was refused: " + fetched.error());
                    return;
                }
                if (fetched.nextOffset() >= fetched.highWatermark()) {
                    reading.endsLive(fetched.nextOffset());
                }
                next[partition] = fetched.nextOffset();
            }
        }
    }
}
