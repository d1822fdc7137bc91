package dev.sluice.log;

import static dev.sluice.log.Batches.T0;
import static dev.sluice.log.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Errno;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A log beside the simplest thing that could be one: a list of batches. Random appends, reads, restarts, crashes,
/// faults, rests and changes of configuration; the two never disagree. The seed is in every message.
class LogModelTest {
    @TempDir(factory = InMemory.class)
    Path temporary;

    private record Stored(long baseOffset, long lastOffset, byte[] bytes) {}

    private final List<Stored> model = new ArrayList<>();
    private Folder folder;
    private PartitionLog log;
    private Random random;
    private int nextSequence;
    private boolean torn;
    private int operation;
    private String context = "";

    private long end() {
        return model.isEmpty() ? 0 : model.getLast().lastOffset() + 1;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6})
    void logAndModelAgree(int round) throws IOException {
        long seed = System.nanoTime() * 31 + round;
        random = new Random(seed);
        folder = new Folder(temporary.resolve("data"));
        folder.config = folder.config
                .withSegmentBytes(3000 + random.nextInt(20_000))
                .withIndexIntervalBytes(random.nextInt(1000))
                .withPreallocateStepBytes(random.nextInt(3) * 10_000);
        log = folder.create("t", 0);
        for (operation = 0; operation < 800; operation++) {
            context = "seed " + seed + ", operation " + operation;
            step();
            assertThat(log.logEndOffset()).as(context).isEqualTo(end());
        }
        for (int i = 0; i < model.size(); i++) {
            assertReads(model.get(i).baseOffset(), Integer.MAX_VALUE);
        }
        folder.close();
    }

    private void step() throws IOException {
        switch (random.nextInt(40)) {
            case 0 -> {
                log = folder.restart(log);
                torn = false;
            }
            case 1 -> {
                log = crash();
                // Only what a failed write has left is there to be cut.
                assertThat(folder.report(log).cut() == null || torn).as(context).isTrue();
                torn = false;
            }
            case 2 -> {
                List<Faults.Fault> faults = faults();
                AppendOutcome outcome = random.nextBoolean() ? append() : appendGroup(false);
                faults.forEach(Faults.Fault::heal);
                torn = outcome instanceof AppendOutcome.Failed;
                if (outcome instanceof AppendOutcome.Failed failed && failed.permanent()) {
                    log = crash();
                    torn = false;
                }
            }
            case 3 -> {
                log.flush();
                folder.directory().checkpoint();
            }
            case 4 -> folder.directory().checkpoint();
            case 5 -> log.configure(log.config().withSegmentBytes(3000 + random.nextInt(20_000)));
            case 6 -> retry();
            case 7, 8, 9, 10, 11, 12, 13, 14, 15 -> assertReads(random.nextLong(end() + 1), 1 + random.nextInt(5000));
            case 16 ->
                assertThat(log.read(end() + 1 + random.nextInt(5), 100, true))
                        .as(context)
                        .isEqualTo(new ReadOutcome.OutOfRange(0, end()));
            case 17, 18, 19, 20, 21 -> appendGroup(true);
            default -> append();
        }
    }

    /// Nobody has seen what is lost: the offsets go on where the model's do.
    private PartitionLog crash() throws IOException {
        folder.directory().abandon();
        folder.forgetCeilings();
        folder.open();
        return folder.log("t", 0);
    }

    private List<Faults.Fault> faults() {
        int errno = random.nextBoolean() ? Errno.ENOSPC : Errno.EIO;
        int bytes = 1 + random.nextInt(100);
        return switch (random.nextInt(5)) {
            case 0 -> List.of(folder.faults.always(Call.PWRITE, ".log", errno));
            case 1 -> List.of(folder.faults.always(Call.FALLOCATE, "", Errno.ENOSPC));
            case 2 -> List.of(folder.faults.always(Call.OPENAT, "", Errno.EMFILE));
            case 3 ->
                List.of(
                        folder.faults.once(Call.PWRITE, ".log", 1, errno),
                        folder.faults.shorten(Call.PWRITE, ".log", bytes));
            default -> List.of(folder.faults.shorten(Call.PWRITE, ".log", bytes));
        };
    }

    private AppendOutcome append() {
        int records = 1 + random.nextInt(4);
        BatchView view = batch().records(records)
                .valueBytes(random.nextInt(600))
                .seed(operation)
                .timestamp(T0 + operation)
                .producer(1, 0, nextSequence)
                .view();
        AppendOutcome outcome = log.append(view);
        if (outcome instanceof AppendOutcome.Appended) {
            torn = false;
            assertThat(view.baseOffset()).as(context).isEqualTo(end());
            model.add(new Stored(view.baseOffset(), view.lastOffset(), Batches.bytesOf(view)));
            nextSequence += records;
        } else {
            assertThat(outcome).as(context).isInstanceOf(AppendOutcome.Failed.class);
        }
        return outcome;
    }

    /// Several at once, some of them of the one producer, whose next sequence is not known before the last is
    /// taken.
    ///
    /// @return what became of the last
    private AppendOutcome appendGroup(boolean withProducer) {
        BatchGroup group = new BatchGroup();
        int batches = 1 + random.nextInt(8);
        for (int i = 0; i < batches; i++) {
            int records = 1 + random.nextInt(4);
            Batches next = batch().records(records)
                    .valueBytes(random.nextInt(600))
                    .seed(operation * 10L + i)
                    .timestamp(T0 + operation);
            if (withProducer && random.nextInt(3) == 0) {
                next.producer(1, 0, nextSequence);
                nextSequence += records;
            }
            assertThat(group.add(next.view())).as(context).isTrue();
        }
        log.append(group);
        AppendOutcome outcome = null;
        for (int i = 0; i < batches; i++) {
            outcome = group.outcome(i);
            if (outcome instanceof AppendOutcome.Appended) {
                torn = false;
                assertThat(group.batch(i).baseOffset()).as(context).isEqualTo(end());
                model.add(new Stored(
                        group.batch(i).baseOffset(), group.batch(i).lastOffset(), Batches.bytesOf(group.batch(i))));
            } else {
                assertThat(withProducer).as(context + ", " + outcome).isFalse(); // without faults all are taken
                assertThat(outcome).as(context).isInstanceOf(AppendOutcome.Failed.class);
            }
        }
        return outcome;
    }

    private void retry() {
        for (Stored stored : model.reversed()) {
            BatchView again = Batches.view(stored.bytes());
            if (again.hasProducerId()) {
                assertThat(log.append(again))
                        .as(context)
                        .isEqualTo(new AppendOutcome.Duplicate(stored.baseOffset(), stored.lastOffset(), -1, 0));
                return;
            }
        }
    }

    /// A read answers the batch with that offset and what follows, within its limit; how far it goes within that
    /// is the segment's affair, but never less than the first batch.
    private void assertReads(long offset, int maxBytes) throws IOException {
        if (offset == end()) {
            assertThat(log.read(offset, maxBytes, true)).as(context).isEqualTo(new ReadOutcome.AtEnd(end()));
            return;
        }
        int first = 0;
        while (model.get(first).lastOffset() < offset) {
            first++;
        }
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        for (int i = first; i < model.size() && expected.size() < maxBytes; i++) {
            expected.write(model.get(i).bytes());
        }
        byte[] found = folder.read(log, offset, maxBytes);
        int least = model.get(first).bytes().length;
        assertThat(found.length).as(context).isBetween(least, Math.max(least, maxBytes));
        assertThat(found).as(context).isEqualTo(Arrays.copyOf(expected.toByteArray(), found.length));
    }
}
