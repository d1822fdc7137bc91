package dev.sluice.broker.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.awaitility.Awaitility.await;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.SocketWriter;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Which files stay open for those who read them from the disk, and that nobody who waits is forgotten.
@ExtendWith(LeakCounter.class)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class ColdReadsTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final int MANY = 1024;
    private static final int FILE_BYTES = 64 << 10;
    private static final int READ_BYTES = 4096;
    private static final String REOPENED = "/proc/self/fd/*";

    private final GateFaults faults = new GateFaults();
    private final Kernel kernel = new Kernel(faults);
    private final AtomicLong nowNs = new AtomicLong();
    private final AtomicInteger told = new AtomicInteger();
    private final List<Descriptor> files = new ArrayList<>();

    @TempDir
    private Path folder;

    @AfterEach
    void close() {
        files.forEach(Descriptor::close);
    }

    private ColdReads reader(int mostFiles, ThreadFactory factory) {
        return new ColdReads(kernel, new ColdThreads(factory), new ColdFiles(mostFiles, nowNs::get));
    }

    private ColdReads reader(int mostFiles) {
        return reader(mostFiles, Thread.ofPlatform().name("cold-", 1).daemon().factory());
    }

    private Descriptor file(int number) throws IOException {
        Path path = folder.resolve("file-" + number);
        Files.write(path, new byte[FILE_BYTES]);
        Descriptor file = kernel.files()
                .open(path, dev.sluice.io.linux.Files.O_RDONLY, 0, kernel.account())
                .orThrow();
        files.add(file);
        return file;
    }

    private DirectReader.Sink telling() {
        return new DirectReader.Sink() {
            @Override
            public void read(MemorySegment bytes, Hold hold) {
                hold.release();
                told.addAndGet(bytes.byteSize() == READ_BYTES ? 1 : MANY);
            }

            @Override
            public void failed(int errno) {
                told.addAndGet(MANY);
            }
        };
    }

    /// Reads a file's beginning past the page cache, so that it is left in its middle.
    private void readPastCache(ColdReads reader, Object consumer, Descriptor file) throws Exception {
        int before = told.get();
        SocketWriter.Cold range = new SocketWriter.Cold(file, 0, READ_BYTES, true, READ_BYTES);
        reader.direct().read(consumer, range, telling());
        await().atMost(LONG).until(() -> told.get() == before + 1);
    }

    /// Descriptors on the files, but for the test's own.
    private long streams() throws IOException {
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            return links.filter(link -> {
                                try {
                                    return Files.readSymbolicLink(link).startsWith(folder.toRealPath());
                                } catch (IOException e) {
                                    return false; // closed meanwhile
                                }
                            })
                            .count()
                    - files.size();
        }
    }

    @Test
    void aFileThatIsLeftInItsMiddleIsLetGoOfThoughItsConsumerReadsOthers() throws Exception {
        Descriptor left = file(0);
        Descriptor other = file(1);
        Object consumer = new Object();
        try (ColdReads reader = reader(MANY)) {
            readPastCache(reader, consumer, left);
            nowNs.addAndGet(ColdFiles.UNUSED_NS / 2);
            readPastCache(reader, consumer, other);
            assertThat(reader.files().closeUnused()).isTrue();
            assertThat(streams()).as("the control: kept for what comes next").isEqualTo(2);

            nowNs.addAndGet(ColdFiles.UNUSED_NS / 2);
            readPastCache(reader, consumer, other);
            await().atMost(LONG).until(() -> {
                assertThat(reader.files().closeUnused()).as("the other is left").isTrue();
                return streams() == 1;
            });

            nowNs.addAndGet(ColdFiles.UNUSED_NS);
            await().atMost(LONG).until(() -> !reader.files().closeUnused() && streams() == 0);
        }
    }

    @Test
    void aConsumerKeepsAFewFilesOpen() throws Exception {
        Object consumer = new Object();
        try (ColdReads reader = reader(MANY)) {
            for (int i = 0; i < ColdFiles.MOST_OF_ONE + 4; i++) {
                readPastCache(reader, consumer, file(i));
            }
            readPastCache(reader, new Object(), file(MANY));
            await().atMost(LONG).until(() -> streams() <= ColdFiles.MOST_OF_ONE + 1);
        }
    }

    @Test
    void manyConsumersKeepSoManyFilesOpenTogether() throws Exception {
        Descriptor file = file(0);
        try (ColdReads reader = reader(3)) {
            for (int i = 0; i < 10; i++) {
                readPastCache(reader, new Object(), file);
            }
            // One that a thread had not come out of when the next was begun is there beside them.
            await().atMost(LONG).until(() -> {
                readPastCache(reader, new Object(), file);
                return streams() <= 3;
            });
        }
    }

    @Test
    void whoWaitsIsToldHoweverManyWait() throws Exception {
        Descriptor file = file(0);
        CountDownLatch goOn = new CountDownLatch(1);
        faults.on(Call.PREAD).of(REOPENED).waitsFor(goOn);
        try (ColdReads reader = reader(2)) {
            int consumers = 12;
            for (int i = 0; i < consumers; i++) {
                reader.direct()
                        .read(new Object(), new SocketWriter.Cold(file, 0, READ_BYTES, true, READ_BYTES), telling());
            }
            goOn.countDown();
            await().atMost(LONG).until(() -> told.get() == consumers);
        }
    }

    /// A consumer's way through a file, of which only so much is read from the disk for it.
    private long dropped(long fromDiskBytes) throws Exception {
        AtomicLong dropped = new AtomicLong();
        GateFaults.Fault advice = faults.on(Call.FADVISE).tells(dropped::addAndGet);
        ColdThreads threads = new ColdThreads();
        ColdStream stream = new ColdStream(kernel, threads, file(0));
        for (long position = 0; position < 100 << 20; position += READ_BYTES) {
            if (stream.sent(position, READ_BYTES, position < fromDiskBytes ? READ_BYTES : 0)) {
                stream.drop(position + READ_BYTES, false);
            }
        }
        stream.close();
        threads.close();
        advice.heal();
        return dropped.get();
    }

    @Test
    void whatWasInMemoryForOthersStaysThere() throws Exception {
        assertThat(dropped(20 << 20)).isBetween(18L << 20, 20L << 20);
        assertThat(dropped(100 << 20))
                .as("the control: read from the disk to its end")
                .isGreaterThan(80 << 20);
    }

    /// The last descriptor of a deleted file gives its room back, which takes long.
    @Test
    void whoGoesDoesNotWaitForTheClosing() throws Exception {
        Descriptor file = file(0);
        Object consumer = new Object();
        Queue<String> closers = new ConcurrentLinkedQueue<>();
        try (ColdReads reader = reader(MANY)) {
            readPastCache(reader, consumer, file);
            faults.on(Call.CLOSE)
                    .of(REOPENED)
                    .runs(() -> closers.add(Thread.currentThread().getName()));
            reader.files().forget(consumer);
            await().atMost(LONG).until(() -> !closers.isEmpty());
        }
        assertThat(closers).singleElement().asString().startsWith("cold-");
    }

    @Test
    void whoGetsNoThreadForLaterGoesOnItself() {
        try (ColdReads reader = reader(MANY, _ -> {
            throw new OutOfMemoryError("no thread");
        })) {
            assertThatCode(() -> assertThat(reader.threads().runLater(() -> {})).isFalse())
                    .doesNotThrowAnyException();
        }
    }
}
