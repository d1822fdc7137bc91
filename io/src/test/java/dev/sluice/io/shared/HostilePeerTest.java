package dev.sluice.io.shared;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Mappings;
import dev.sluice.io.support.Leaks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A peer that was accepted and then breaks the rules: it costs itself the pool, and us nothing.
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class HostilePeerTest {
    private static final long MS = 1_000_000;

    private final Kernel kernel = new Kernel();
    private final Leaks leaks = new Leaks(kernel);

    @AfterEach
    void nothingIsLeftOpenOrMapped() {
        leaks.assertNone();
        leaks.assertNoMaps();
    }

    @FunctionalInterface
    interface Deed {
        void on(RawPeer peer) throws Exception;
    }

    /// Gives a pool to a raw reader.
    private void asReader(SharedPool pool, Deed deed) throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (RawPeer reader = new RawPeer(kernel, pair[1])) {
            FutureTask<List<Descriptor>> accepting = new FutureTask<>(reader::accept);
            Thread.ofPlatform().start(accepting);
            pool.attach(pair[0]);
            accepting.get();
            deed.on(reader);
        }
    }

    /// Numbers of the buffers that it sent: 0 and 1 of a new pool.
    private static int[] sendTwo(SharedPool pool) throws Exception {
        SharedBuffer first = pool.acquire(0);
        SharedBuffer second = pool.acquire(0);
        pool.send(first, 1);
        pool.send(second, 1);
        return new int[] {first.index(), second.index()};
    }

    private void writerSurvives(Deed deed) throws Exception {
        try (SharedPool pool = SharedPool.create(kernel, RawPeer.CONFIG, kernel.account())) {
            asReader(pool, peer -> {
                assertThat(sendTwo(pool)).containsExactly(0, 1);
                deed.on(peer);
                assertThatThrownBy(() -> pool.acquire(0)).isInstanceOf(PeerViolationException.class);
                assertThat(pool.isAttached()).isFalse();
                assertThat(pool.freeBuffers()).as("all are back").isEqualTo(RawPeer.BUFFERS);
            });
            // The control: an honest peer, by the same means, and the pool is as good as new.
            asReader(pool, peer -> {
                int[] sent = sendTwo(pool);
                peer.put(sent[1], 0);
                peer.put(sent[0], 0);
                pool.discard(pool.acquire(0));
                assertThat(pool.isAttached()).isTrue();
                assertThat(pool.freeBuffers()).isEqualTo(RawPeer.BUFFERS);
            });
        }
    }

    @Test
    void aReaderThatReleasesWhatItDoesNotHaveLosesThePool() throws Exception {
        writerSurvives(peer -> peer.put(2, 0)); // free
        writerSurvives(peer -> peer.put(4, 0)); // one past the end
        writerSurvives(peer -> peer.put(-1, 0));
        writerSurvives(peer -> peer.put(Integer.MIN_VALUE, 0));
        writerSurvives(peer -> {
            peer.put(1, 0);
            peer.put(1, 0); // twice
        });
    }

    @Test
    void aReaderWhoseTailIsImpossibleLosesThePool() throws Exception {
        writerSurvives(peer -> peer.setTail(RawPeer.BUFFERS + 1));
        writerSurvives(peer -> peer.setTail(-1));
        writerSurvives(peer -> peer.setTail(Integer.MIN_VALUE));
        writerSurvives(peer -> {
            peer.put(0, 0);
            peer.put(1, 0);
            peer.setTail(Integer.MAX_VALUE);
        });
    }

    private void readerSurvives(Deed deed) throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (RawPeer writer = new RawPeer(kernel, pair[0])) {
            writer.offer();
            try (SharedPoolReader reader =
                    SharedPoolReader.accept(kernel, pair[1], SharedPoolReaderConfig.DEFAULT, kernel.account())) {
                writer.put(0, 5);
                SharedBuffer held = reader.receive(0); // the control: what is right is received
                assertThat(held.lengthBytes()).isEqualTo(5);
                deed.on(writer);
                assertThatThrownBy(() -> reader.receive(0)).isInstanceOf(PeerViolationException.class);
                assertThatThrownBy(() -> reader.receive(0)).as("for good").isInstanceOf(PeerViolationException.class);
                assertThat(held.memory().get(ValueLayout.JAVA_BYTE, 4)).isZero();
                reader.release(held);
            }
        }
    }

    @Test
    void aWriterThatSendsWhatCanNotBeLosesItsReader() throws Exception {
        readerSurvives(peer -> peer.put(RawPeer.BUFFERS, 5));
        readerSurvives(peer -> peer.put(-1, 5));
        readerSurvives(peer -> peer.put(0, 5)); // which we hold
        readerSurvives(peer -> peer.put(1, RawPeer.BUFFER_BYTES + 1));
        readerSurvives(peer -> peer.put(1, -1));
        readerSurvives(peer -> peer.setTail(RawPeer.BUFFERS + 2));
        readerSurvives(peer -> peer.setTail(0));
    }

    @Test
    void aReaderThatNeverReleasesIsLetGo() throws Exception {
        try (SharedPool pool = SharedPool.create(kernel, RawPeer.CONFIG, kernel.account())) {
            asReader(pool, peer -> {
                for (SharedBuffer buffer = pool.acquire(0); buffer != null; buffer = pool.acquire(0)) {
                    pool.send(buffer, 1);
                }
                peer.setWaiting(-1); // and wants to be woken by every means
                assertThat(pool.acquire(3 * MS)).isNull();
                assertThat(pool.isAttached()).isTrue();
                pool.detach();
                assertThat(pool.freeBuffers()).isEqualTo(RawPeer.BUFFERS);
            });
        }
    }

    /// Rings for somebody who never takes a bell off the socket, until it is full, and who made it blocking.
    @Test
    void ringingForAPeerThatDoesNotReadDoesNotBlock() throws Exception {
        try (SharedPool pool = SharedPool.create(kernel, RawPeer.CONFIG, kernel.account())) {
            asReader(pool, peer -> {
                for (int ticket = 4; ticket < 4_000; ticket += 4) {
                    peer.setWaiting(ticket | Control.BY_SOCKET);
                    SharedBuffer buffer = pool.acquire(0);
                    pool.send(buffer, 1);
                    peer.put(buffer.index(), 0);
                }
                long refused =
                        kernel.account().count(dev.sluice.io.linux.Call.SEND).errors();
                assertThat(refused).as("EAGAIN").isPositive();
            });
        }
    }

    @Test
    void theReadersDescriptorsChangeNothingInTheWritersMemory() throws Exception {
        Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
        try (SharedPool pool = SharedPool.create(kernel, RawPeer.CONFIG, kernel.account());
                RawPeer reader = new RawPeer(kernel, pair[1]);
                Arena arena = Arena.ofConfined()) {
            FutureTask<List<Descriptor>> accepting = new FutureTask<>(reader::accept);
            Thread.ofPlatform().start(accepting);
            pool.attach(pair[0]);
            SharedBuffer filled = pool.acquire(0);
            filled.memory().fill((byte) 7);
            MemorySegment bytes = arena.allocate(8);
            int punch = Files.FALLOC_FL_PUNCH_HOLE | Files.FALLOC_FL_KEEP_SIZE;
            Files files = kernel.files();
            for (Descriptor passed : accepting.get()) {
                try (Descriptor again = files.open(
                                java.nio.file.Path.of("/proc/self/fd/" + passed.number()),
                                Files.O_RDWR,
                                0,
                                kernel.account())
                        .orThrow()) {
                    for (Descriptor descriptor : List.of(passed, again)) {
                        assertThat(files.pwrite(descriptor, bytes, 0)).isEqualTo(-Errno.EPERM);
                        assertThat(files.ftruncate(descriptor, 0)).isEqualTo(-Errno.EPERM);
                        assertThat(files.ftruncate(descriptor, 1 << 20)).isEqualTo(-Errno.EPERM);
                        assertThat(files.fallocate(descriptor, punch, 0, 4096)).isEqualTo(-Errno.EPERM);
                        assertThat(kernel.memoryFiles().addSeals(descriptor, 1)).isEqualTo(-Errno.EPERM);
                        assertThatThrownBy(() -> kernel.mappings()
                                        .map(
                                                descriptor,
                                                0,
                                                4096,
                                                Mappings.PROT_READ | Mappings.PROT_WRITE,
                                                Mappings.MAP_SHARED))
                                .isInstanceOf(ErrnoException.class)
                                .hasMessageContaining("EPERM");
                    }
                }
            }
            assertThat(filled.memory().get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
        }
    }

    /// Any words at any place, at any moment: what comes out is a buffer that may be had, nothing, or a violation.
    @Test
    void scribblingOverControlMemoryReachesNothing() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int violations = 0;
        int exchanged = 0;
        try (SharedPool pool = SharedPool.create(kernel, RawPeer.CONFIG, kernel.account())) {
            for (int round = 0; round < 60; round++) {
                int[] counts = new int[2];
                boolean isConcurrent = round % 4 == 3;
                asReader(pool, peer -> scribble(pool, peer, random, isConcurrent, counts));
                violations += counts[0];
                exchanged += counts[1];
                pool.detach();
                assertThat(pool.freeBuffers())
                        .as("seed %d, round %d", seed, round)
                        .isEqualTo(RawPeer.BUFFERS);
            }
        } catch (Exception | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        }
        assertThat(violations).as("seed %d: scribbles that were noticed", seed).isPositive();
        assertThat(exchanged).as("seed %d: buffers that went round", seed).isPositive();
    }

    @Test
    void norDoesItReachAReader() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int[] received = new int[1];
        int violations = 0;
        for (int round = 0; round < 60; round++) {
            Descriptor[] pair = kernel.unixSockets().seqpacketPair(true, kernel.account());
            try (RawPeer writer = new RawPeer(kernel, pair[0])) {
                writer.offer();
                try (SharedPoolReader reader =
                        SharedPoolReader.accept(kernel, pair[1], SharedPoolReaderConfig.DEFAULT, kernel.account())) {
                    readScribbles(reader, writer, random, seed, received);
                } catch (PeerViolationException e) {
                    violations++;
                }
            }
        }
        assertThat(violations).as("seed %d: scribbles that were noticed", seed).isPositive();
        assertThat(received[0]).as("seed %d: buffers that were received", seed).isPositive();
    }

    private static void readScribbles(SharedPoolReader reader, RawPeer writer, Random random, long seed, int[] received)
            throws Exception {
        Deque<SharedBuffer> held = new ArrayDeque<>();
        for (int step = 0; step < 200; step++) {
            if (random.nextInt(20) == 0) {
                scribbleOnce(writer, random);
            } else {
                writer.put(step % RawPeer.BUFFERS, random.nextInt(RawPeer.BUFFER_BYTES + 1));
            }
            SharedBuffer buffer = reader.receive(0);
            if (buffer != null) {
                assertThat(held).as("seed %d: received twice", seed).doesNotContain(buffer);
                assertThat(buffer.memory().byteSize()).isBetween(0L, (long) RawPeer.BUFFER_BYTES);
                buffer.copyTo(MemorySegment.ofArray(new byte[RawPeer.BUFFER_BYTES]));
                held.add(buffer);
                received[0]++;
            }
            if (held.size() > 1) {
                reader.release(held.remove());
            }
        }
    }

    private static void scribble(SharedPool pool, RawPeer peer, Random random, boolean isConcurrent, int[] counts)
            throws Exception {
        AtomicBoolean isOver = new AtomicBoolean(!isConcurrent);
        long seed = random.nextLong();
        FutureTask<Void> other = new FutureTask<>(
                () -> {
                    Random own = new Random(seed);
                    while (!isOver.get()) {
                        scribbleOnce(peer, own);
                    }
                },
                null);
        Thread.ofPlatform().start(other);
        Deque<SharedBuffer> filling = new ArrayDeque<>();
        boolean[] isOurs = new boolean[RawPeer.BUFFERS];
        try {
            for (int step = 0; step < 200; step++) {
                if (!isConcurrent) {
                    scribbleOnce(peer, random);
                }
                SharedBuffer buffer = pool.acquire(random.nextInt(50) == 0 ? 1 : 0);
                if (buffer != null) {
                    assertThat(isOurs[buffer.index()]).as("handed out twice").isFalse();
                    isOurs[buffer.index()] = true;
                    filling.add(buffer);
                    counts[1]++;
                }
                if (!filling.isEmpty() && random.nextBoolean()) {
                    SharedBuffer sent = filling.remove();
                    isOurs[sent.index()] = false;
                    pool.send(sent, 1);
                }
            }
        } catch (PeerViolationException e) {
            counts[0]++;
        } finally {
            isOver.set(true);
            other.get();
        }
        filling.forEach(pool::discard);
    }

    private static void scribbleOnce(RawPeer peer, Random random) {
        switch (random.nextInt(8)) {
            case 0 -> peer.scribble(4L * random.nextInt((int) RawPeer.CONTROL_BYTES / 4), random.nextInt());
            case 1 -> peer.scribble(4L * random.nextInt(64), random.nextInt(8) - 2);
            case 2 -> peer.setWaiting(random.nextInt());
            default -> peer.put(random.nextInt(RawPeer.BUFFERS), random.nextInt()); // likely enough to go on
        }
    }
}
