package dev.sluice.testkit;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.LongConsumer;
import java.util.function.LongUnaryOperator;
import java.util.regex.Pattern;

/// A gate that follows a script: which calls, on what, which of them in order, and what happens to them.
///
/// ```
/// GateFaults faults = new GateFaults();
/// GateFaults.Fault full = faults.on(Call.PWRITE).of("*/orders-0/*.log").from(3).times(2).fails(Errno.ENOSPC);
/// Broker broker = Broker.start(config, new Kernel(faults), clock);
/// …
/// full.heal();
/// ```
///
/// A call meets all faults that it fits and that are due, in the order of their making, until one refuses it; a call
/// that fits none is made as asked. A fault counts the calls that fit it, those of other threads too, so that the third
/// is the third of all. Thread-safe; faults may be added and healed while calls are made.
public final class GateFaults implements Gate {
    /// How long a call is held at most: a test that failed before it let go must not hang for ever.
    private static final long LONGEST_HOLD_S = 120;

    private final Random random;
    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    /// Written by the test, read on the threads that make calls.
    private volatile boolean shortens;

    private final AtomicLongArray admitted = new AtomicLongArray(Call.values().length);

    /// Faults without chance.
    public GateFaults() {
        this(0);
    }

    /// @param seed of [Selection#shortensRandomly]
    public GateFaults(long seed) {
        this.random = new Random(seed);
    }

    /// Which calls a fault is for. Ends with what happens to them.
    public final class Selection {
        private final Set<Call> calls;
        private Pattern subject = Pattern.compile(".*", Pattern.DOTALL);
        private int first = 1;
        private int times = Integer.MAX_VALUE;

        private Selection(Set<Call> calls) {
            this.calls = calls;
        }

        /// Only calls on what has such a name: a path, a peer's `host:port`.
        ///
        /// @param glob `*` stands for any characters, `/` included
        public Selection of(String glob) {
            StringBuilder regex = new StringBuilder();
            for (String literal : glob.split("\\*", -1)) {
                regex.append(regex.isEmpty() ? "" : ".*").append(Pattern.quote(literal));
            }
            subject = Pattern.compile(regex.toString(), Pattern.DOTALL);
            return this;
        }

        /// Only from the `number`th fitting call on, counted from 1 and from now.
        public Selection from(int number) {
            first = number;
            return this;
        }

        /// Only so many calls; the next ones are made as asked again.
        public Selection times(int most) {
            times = most;
            return this;
        }

        /// The calls are not made, and answer this error number of [dev.sluice.io.linux.Errno].
        public Fault fails(int errno) {
            return add(_ -> -errno);
        }

        /// The calls, fsync and fdatasync alone, are not made, and answer that they were: a device that lies.
        public Fault pretends() {
            return add(_ -> Gate.PRETEND);
        }

        /// The calls are made for at most so many bytes.
        public Fault shortensTo(long bytes) {
            shortens = true;
            return add(length -> length > bytes ? bytes : length);
        }

        /// The calls are made for a random part of what they ask for.
        public Fault shortensRandomly() {
            shortens = true;
            return add(length -> {
                synchronized (random) {
                    return length > 1 ? random.nextLong(1, length) : length;
                }
            });
        }

        /// The calls are held until the latch is at zero, or two minutes have passed, and are then made.
        public Fault waitsFor(CountDownLatch release) {
            return add(length -> {
                try {
                    if (!release.await(LONGEST_HOLD_S, TimeUnit.SECONDS)) {
                        throw new IllegalStateException("held for " + LONGEST_HOLD_S + " s, and nobody let go");
                    }
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return length;
            });
        }

        /// `action` runs before each call, on the thread that makes it.
        public Fault runs(Runnable action) {
            return add(length -> {
                action.run();
                return length;
            });
        }

        /// The calls are made as asked, and each tells for how many bytes it is, on the thread that makes it.
        public Fault tells(LongConsumer lengthBytes) {
            return add(length -> {
                lengthBytes.accept(length);
                return length;
            });
        }

        /// The calls are made as asked, and counted.
        public Fault isCounted() {
            return add(length -> length);
        }

        private Fault add(LongUnaryOperator effect) {
            Fault fault = new Fault(calls, subject, first, times, effect);
            faults.add(fault);
            return fault;
        }
    }

    /// A fault that was armed.
    public static final class Fault {
        private final Set<Call> calls;
        private final Pattern subject;
        private final int first;
        private final int times;
        private final LongUnaryOperator effect;

        // Guarded by this.
        private int seen;
        private int hits;
        private boolean healed;

        private Fault(Set<Call> calls, Pattern subject, int first, int times, LongUnaryOperator effect) {
            this.calls = calls;
            this.subject = subject;
            this.first = first;
            this.times = times;
            this.effect = effect;
        }

        private boolean isFor(Call call, String name) {
            return calls.contains(call) && subject.matcher(name).matches();
        }

        private synchronized boolean strikes() {
            if (healed) {
                return false;
            }
            seen++;
            if (seen < first || seen - first >= times) {
                return false;
            }
            hits++;
            notifyAll();
            return true;
        }

        /// How many calls it has struck.
        public synchronized int hits() {
            return hits;
        }

        /// Strikes no more.
        public synchronized void heal() {
            healed = true;
        }

        /// Waits until it has struck `count` calls.
        ///
        /// @throws AssertionError when it has not within two minutes
        public synchronized void awaitHits(int count) throws InterruptedException {
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(LONGEST_HOLD_S);
            while (hits < count) {
                long leftMs = TimeUnit.NANOSECONDS.toMillis(deadlineNs - System.nanoTime());
                if (leftMs <= 0) {
                    throw new AssertionError("struck " + hits + " calls in two minutes, not " + count);
                }
                wait(leftMs);
            }
        }
    }

    /// Begins a fault for calls of these kinds.
    public Selection on(Call first, Call... more) {
        return new Selection(EnumSet.of(first, more));
    }

    /// Begins a fault for every kind of call that can change a file or a folder.
    public Selection onChanges() {
        return on(
                Call.OPENAT,
                Call.WRITE,
                Call.PWRITE,
                Call.PWRITEV,
                Call.FSYNC,
                Call.FDATASYNC,
                Call.FALLOCATE,
                Call.FTRUNCATE,
                Call.RENAME,
                Call.LINK,
                Call.UNLINK,
                Call.MKDIR,
                Call.MMAP,
                Call.MSYNC);
    }

    /// How many calls of a kind came by and were not refused.
    public long admitted(Call call) {
        return admitted.get(call.ordinal());
    }

    @Override
    public long admit(Call call, String subject, long position, long lengthBytes) {
        long answer = decide(call, subject, lengthBytes);
        if (answer >= 0) {
            admitted.incrementAndGet(call.ordinal());
        }
        return answer;
    }

    /// Only once a fault that shortens was made: without one, short counts mean what they mean in production.
    @Override
    public boolean mayShorten() {
        return shortens;
    }

    private long decide(Call call, String subject, long lengthBytes) {
        long answer = lengthBytes;
        for (Fault fault : faults) {
            if (answer >= 0 && fault.isFor(call, subject) && fault.strikes()) {
                answer = fault.effect.applyAsLong(answer);
            }
        }
        return answer;
    }
}
