package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Errno;
import dev.sluice.io.linux.Gate;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.SocketWriter;
import dev.sluice.testkit.LeakCounter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Reading past the page cache: whoever goes on finds what comes next, nobody gets bytes that have changed since, and
/// memory is bounded.
@ExtendWith(LeakCounter.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DirectReaderTest {
    private static final int SIZE_BYTES = (8 << 20) + 1_234;
    private static final int MANY = 1024;

    private final AtomicLong nowNs = new AtomicLong();
    private final AtomicInteger preads = new AtomicInteger();
    private volatile Gate disk = Gate.OPEN;
    private final Kernel kernel = new Kernel(this::admit);
    private final Object consumer = new Object();
    private final byte[] content = new byte[SIZE_BYTES];

    private Path path;
    private Descriptor file;
    private ColdReads reads;

    private long admit(Call call, String subject, long position, long lengthBytes) {
        if (call != Call.PREAD || !subject.startsWith("/proc/self/fd/")) {
            return lengthBytes;
        }
        preads.incrementAndGet();
        return disk.admit(call, subject, position, lengthBytes);
    }

    @BeforeEach
    void open(@TempDir Path folder) throws IOException {
        new Random(3).nextBytes(content);
        path = Files.write(folder.resolve("file"), content);
        file = kernel.files()
                .open(path, dev.sluice.io.linux.Files.O_RDONLY, 0, kernel.account())
                .orThrow();
        reads = new ColdReads(kernel, new ColdThreads(), new ColdFiles(MANY, nowNs::get));
    }

    @AfterEach
    void close() {
        reads.close();
        file.close();
    }

    /// @param errno 0, or why there are no bytes
    private record Answer(MemorySegment segment, Hold hold, int errno, Thread from) {
        byte[] bytes() {
            return segment.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    private CompletableFuture<Answer> begin(Object reader, long position, long lengthBytes, long readableTo)
            throws IOException {
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        SocketWriter.Cold range = new SocketWriter.Cold(file, position, lengthBytes, true, readableTo);
        reads.direct().read(reader, range, new DirectReader.Sink() {
            @Override
            public void read(MemorySegment bytes, Hold hold) {
                answer.complete(new Answer(bytes, hold, 0, Thread.currentThread()));
            }

            @Override
            public void failed(int errno) {
                answer.complete(new Answer(MemorySegment.NULL, Hold.NONE, errno, Thread.currentThread()));
            }
        });
        return answer;
    }

    private Answer ask(Object reader, long position, long lengthBytes, long readableTo) throws Exception {
        return begin(reader, position, lengthBytes, readableTo).get(1, TimeUnit.MINUTES);
    }

    /// Asks again for what an answer was short of, as a loop does.
    private byte[] readAll(long from, long to, int stepBytes, long readableTo) throws Exception {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (from + all.size() < to) {
            long position = from + all.size();
            Answer answer = ask(consumer, position, Math.min(stepBytes, to - position), readableTo);
            assertThat(answer.errno).isZero();
            all.write(answer.bytes());
            answer.hold.release();
        }
        return all.toByteArray();
    }

    private int taken() {
        return reads.direct().memory().takenCount();
    }

    @Test
    void whoReadsOnAndJumpsGetsWhatTheFileHolds() throws Exception {
        Random random = new Random(11);
        long position = 0;
        for (int i = 0; i < 300; i++) {
            if (position == SIZE_BYTES || random.nextInt(8) == 0) {
                position = random.nextInt(SIZE_BYTES);
            }
            long length = 1L + random.nextInt((int) Math.min(SIZE_BYTES - position, 1 << 20));
            long readableTo = position + length + random.nextLong(SIZE_BYTES - position - length + 1);
            Answer answer = ask(consumer, position, length, readableTo);
            assertThat(answer.errno).isZero();
            byte[] bytes = answer.bytes();
            assertThat(bytes.length).isBetween(1, (int) length);
            assertThat(Arrays.equals(bytes, 0, bytes.length, content, (int) position, (int) position + bytes.length))
                    .as("%d bytes from %d, step %d", bytes.length, position, i)
                    .isTrue();
            answer.hold.release();
            position += bytes.length;
        }
    }

    @Test
    void whoGoesOnFindsWhatComesNextAndWhoJumpsHasNothingReadForHim() throws Exception {
        Object jumping = new Object();
        for (int at = 0; at < 4; at++) {
            ask(jumping, 2L * at * DirectMemory.WINDOW_BYTES, 100, SIZE_BYTES)
                    .hold
                    .release();
        }
        reads.files().forget(jumping);
        await().until(() -> taken() == 0);
        assertThat(preads).as("the control").hasValue(4);

        ask(consumer, 0, 4096, SIZE_BYTES).hold.release();
        ask(consumer, 4096, 1 << 20, SIZE_BYTES).hold.release();
        int ahead = (int) DirectStream.AHEAD_BYTES / DirectMemory.WINDOW_BYTES;
        await().until(() -> preads.get() == 4 + 1 + 1 + ahead);
        Answer next = ask(consumer, 4096L + DirectMemory.WINDOW_BYTES, 1 << 20, SIZE_BYTES);
        assertThat(next.bytes()).isEqualTo(Arrays.copyOfRange(content, 4096 + (1 << 20), 4096 + (2 << 20)));
        next.hold.release();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatMayStillChangeIsNotReadAhead(boolean isBoundKept) throws Exception {
        int settled = (2 << 20) + 100;
        byte[] before = readAll(0, settled, 500_000, isBoundKept ? settled : SIZE_BYTES);
        assertThat(before).isEqualTo(Arrays.copyOf(content, settled));
        int ahead = (int) DirectStream.AHEAD_BYTES / DirectMemory.WINDOW_BYTES;
        await().until(() -> isBoundKept || taken() > ahead);

        byte[] changed = new byte[SIZE_BYTES - settled];
        new Random(5).nextBytes(changed);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(changed), settled);
            channel.force(true);
        }

        byte[] after = readAll(settled, SIZE_BYTES, 500_000, SIZE_BYTES);
        if (isBoundKept) {
            assertThat(after).isEqualTo(changed);
        } else {
            assertThat(after).as("the control").isNotEqualTo(changed);
        }
    }

    /// As consumers do: an answer ends within a batch, and the next one begins with that batch.
    @ParameterizedTest
    @ValueSource(ints = {100_000, 1_000_000, 3 << 20})
    void whoGoesBackByABatchReadsTheDiskOnce(int backBytes) throws Exception {
        int step = backBytes + 700_000;
        for (long from = 0; from < SIZE_BYTES; from += step - backBytes) {
            long to = Math.min(SIZE_BYTES, from + step);
            assertThat(readAll(from, to, 1 << 20, SIZE_BYTES))
                    .isEqualTo(Arrays.copyOfRange(content, (int) from, (int) to));
            if (to == SIZE_BYTES) {
                break;
            }
        }
        int least = SIZE_BYTES / DirectMemory.WINDOW_BYTES;
        if (backBytes <= DirectStream.KEPT_BYTES) {
            assertThat(preads.get()).isLessThan(least + 4);
        } else {
            assertThat(preads.get()).as("the control: further back").isGreaterThan(least * 2);
        }
    }

    @Test
    void whatCannotBeReadCostsWhoWantsItAlone() throws Exception {
        long badFrom = (5 << 20) + 8192;
        long badTo = badFrom + 4096;
        disk = (_, _, position, lengthBytes) ->
                (position < badTo && position + lengthBytes > badFrom) ? -Errno.EIO : lengthBytes;
        int step = 70_000;
        List<Long> failed = new ArrayList<>();
        List<Long> bad = new ArrayList<>();
        for (long position = 0; position < SIZE_BYTES; ) {
            long to = Math.min(SIZE_BYTES, position - position % step + step);
            Answer answer = ask(consumer, position, to - position, SIZE_BYTES);
            if (answer.errno == 0) {
                assertThat(answer.bytes()).isEqualTo(Arrays.copyOfRange(content, (int) position, (int)
                        (position + answer.segment.byteSize())));
                position += answer.segment.byteSize();
            } else {
                assertThat(answer.errno).isEqualTo(Errno.EIO);
                failed.add(position);
                position = to;
            }
            answer.hold.release();
        }
        for (long position = 0; position < SIZE_BYTES; position += step) {
            if (position < badTo && ((position + step + 4095) & -4096) > badFrom) {
                bad.add(position);
            }
        }
        assertThat(failed).isEqualTo(bad).isNotEmpty();
    }

    @Test
    void manyThatAreSlowGetLessAndThoseWhoWaitGetMemoryBeforeWhatNobodyWaitsFor() throws Exception {
        int going = DirectMemory.MOST_WINDOWS;
        for (int i = 0; i < going; i++) {
            Object one = new Object();
            ask(one, 0, 4096, SIZE_BYTES).hold.release();
            ask(one, 4096, 4096, SIZE_BYTES).hold.release();
        }
        await().until(() -> taken() == DirectMemory.MOST_AHEAD);

        List<Answer> held = new ArrayList<>();
        int left = DirectMemory.MOST_WINDOWS - DirectMemory.MOST_AHEAD;
        for (int i = 0; i < left + 3; i++) {
            held.add(ask(new Object(), 0, 1 << 20, SIZE_BYTES));
        }
        for (Answer answer : held) {
            int lengthBytes = (int) answer.segment.byteSize();
            assertThat(answer.bytes()).isEqualTo(Arrays.copyOf(content, lengthBytes));
        }
        assertThat(held.subList(0, left)).allMatch(answer -> answer.segment.byteSize() == DirectMemory.WINDOW_BYTES);
        assertThat(held.subList(left, left + 3))
                .allMatch(answer -> answer.segment.byteSize() == DirectMemory.SMALL_BYTES);

        held.forEach(answer -> answer.hold.release());
        nowNs.addAndGet(ColdFiles.UNUSED_NS);
        await().until(() -> !reads.files().closeUnused() && taken() == 0);
    }

    @Test
    void whoLeavesWhileTheDiskIsReadingLeavesNothingBehind() throws Exception {
        ask(consumer, 0, 4096, SIZE_BYTES).hold.release();
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        disk = (_, _, _, lengthBytes) -> {
            reading.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return lengthBytes;
        };
        CompletableFuture<Answer> unanswered = begin(consumer, 4096, 4096, SIZE_BYTES);
        assertThat(reading.await(1, TimeUnit.MINUTES)).isTrue();

        reads.files().forget(consumer);
        goOn.countDown();

        await().until(() -> taken() == 0);
        assertThat(unanswered).isNotDone();
    }

    @Test
    void whoIsReadToTheEndIsLetGoOf() throws Exception {
        assertThat(readAll(0, SIZE_BYTES, 1 << 20, SIZE_BYTES)).isEqualTo(content);
        await().until(() -> !reads.files().closeUnused());
        assertThat(taken()).isZero();
    }
}
