package dev.sluice.broker.local;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Futexes;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.MemoryFiles;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.view.FaultDelivery;
import dev.sluice.log.PartitionLog;
import dev.sluice.log.ReadableEnd;
import dev.sluice.log.local.EndPage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The two pages that the broker shares with one local reader: [EndPage], which only we can write, and one that only
/// says whether the reader waits, which the reader writes.
///
/// The first is sealed against every write but ours (F_SEAL_FUTURE_WRITE behind our map). The second is the one word in
/// this process that a stranger can write to, at any moment, anything: it is read as "waits or not" and decides about
/// one wake-up; what it costs a producer at the worst is one futex(2) for each slot and append. Both are sealed against
/// shrinking. The reader may still punch a hole into its page, and where the machine has no memory to fill it with,
/// touching it is a fault that the JVM reports as an InternalError: such a reader is told nothing any more.
///
/// Thread-safe: whoever appends publishes; the server's thread opens and closes. The maps live until [#close], which no
/// append is under way in or behind.
final class SharedPages {
    private final Futexes futexes;
    private final Descriptor endFile;
    private final Descriptor waitingFile;
    private final Mapping endMapping;
    private final Mapping waitingMapping;
    private final EndPage page;
    private final MemorySegment word;

    // Guarded by this.
    private final @Nullable Subscription[] owners = new Subscription[EndPage.SLOTS];
    private boolean closed;

    private SharedPages(
            Kernel kernel, Descriptor endFile, Descriptor waitingFile, Mapping endMapping, Mapping waitingMapping) {
        this.futexes = kernel.futexes();
        this.endFile = endFile;
        this.waitingFile = waitingFile;
        this.endMapping = endMapping;
        this.waitingMapping = waitingMapping;
        this.page = new EndPage(endMapping.segment());
        this.word = page.changesWord();
        page.begin();
    }

    static SharedPages create(Kernel kernel, Account account) throws ErrnoException {
        Descriptor endFile = file(kernel, "sluice-ends", account);
        Descriptor waitingFile = null;
        Mapping endMapping = null;
        Mapping waitingMapping = null;
        try {
            endMapping = map(kernel, endFile);
            int seals = MemoryFiles.F_SEAL_SHRINK | MemoryFiles.F_SEAL_GROW | MemoryFiles.F_SEAL_SEAL;
            seal(kernel, endFile, seals | MemoryFiles.F_SEAL_FUTURE_WRITE);
            waitingFile = file(kernel, "sluice-waiting", account);
            waitingMapping = map(kernel, waitingFile);
            seal(kernel, waitingFile, seals);
            return new SharedPages(kernel, endFile, waitingFile, endMapping, waitingMapping);
        } catch (ErrnoException | RuntimeException | Error e) {
            if (waitingMapping != null) {
                waitingMapping.close();
            }
            if (endMapping != null) {
                endMapping.close();
            }
            if (waitingFile != null) {
                waitingFile.close();
            }
            endFile.close();
            throw e;
        }
    }

    private static Descriptor file(Kernel kernel, String name, Account account) throws ErrnoException {
        Descriptor file = kernel.memoryFiles().create(name, account).orThrow();
        long result = kernel.files().ftruncate(file, EndPage.BYTES);
        if (result < 0) {
            file.close();
            throw new ErrnoException(Call.FTRUNCATE, (int) -result, name);
        }
        return file;
    }

    private static Mapping map(Kernel kernel, Descriptor file) throws ErrnoException {
        Mapping mapping = Mapping.ofFile(kernel, file, 0, EndPage.BYTES, true);
        mapping.segment().set(ValueLayout.JAVA_INT, 0, 0); // so that no append takes the first fault
        return mapping;
    }

    private static void seal(Kernel kernel, Descriptor file, int seals) throws ErrnoException {
        ErrnoException.check(kernel.memoryFiles().addSeals(file, seals), Call.FCNTL, file.name());
    }

    /// What the reader is to have; ours to close by [#passed].
    List<Descriptor> files() {
        return List.of(endFile, waitingFile);
    }

    /// The reader has them; our maps need them no more.
    void passed() {
        endFile.close();
        waitingFile.close();
    }

    // ---- Publishing

    /// A slot is told about one partition from now on.
    synchronized void give(int slot, Subscription owner) {
        owners[slot] = owner;
    }

    /// Nothing more is told in the slot; an appender that is late with its call is not heard.
    synchronized void takeBack(int slot, Subscription owner) {
        slotState(slot, owner, EndPage.SLOT_FREE);
        if (owners[slot] == owner) {
            owners[slot] = null;
        }
    }

    /// Tells the reader how far a partition may be read by now, and wakes it if it waits. Called by whoever
    /// appended: a few stores, and one system call when the reader waits.
    synchronized void publish(int slot, Subscription owner, PartitionLog log) {
        if (tell(slot, owner, log)) {
            wake();
        }
    }

    /// Tells the same, and wakes nobody: nothing to wait for has come, or else whoever appended it is about to
    /// [#publish].
    synchronized void refresh(int slot, Subscription owner, PartitionLog log) {
        tell(slot, owner, log);
    }

    private boolean tell(int slot, Subscription owner, PartitionLog log) {
        if (closed || owners[slot] != owner) {
            return false;
        }
        ReadableEnd end = log.readableEnd(); // in here, so that who comes second does not tell less
        page.publish(slot, end.offset(), end.segmentBaseOffset(), end.position(), log.logStartOffset());
        return true;
    }

    synchronized void slotState(int slot, Subscription owner, int state) {
        if (!closed && owners[slot] == owner) {
            page.slotState(slot, state);
            wake();
        }
    }

    /// Tells the reader that nothing will be added any more.
    synchronized void stop() {
        if (!closed) {
            page.state(EndPage.STOPPED);
            wake();
        }
    }

    private void wake() {
        boolean waits;
        try {
            waits = EndPage.takeWaiting(waitingMapping.segment());
            FaultDelivery.now();
        } catch (InternalError e) {
            if (!FaultDelivery.isFault(e)) {
                throw e;
            }
            closed = true; // its page is gone: the reader has seen to that, or the machine has no memory left
            return;
        }
        if (waits) {
            page.raiseChanges();
            futexes.wake(word, 1);
        }
    }

    /// Once, by the server's thread.
    void close() {
        synchronized (this) {
            closed = true;
        }
        passed();
        endMapping.close();
        waitingMapping.close();
    }
}
