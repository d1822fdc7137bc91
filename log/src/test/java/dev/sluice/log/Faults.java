package dev.sluice.log;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// A gate that tests arm: the next calls of a kind, on files whose name fits, get another answer.
final class Faults implements Gate {
    /// Something armed; [#hits] tells how often it struck.
    static final class Fault {
        private final Call call;
        private final Predicate<String> subject;
        private final LongUnaryOperator answer;
        private final int skip;
        private final int times;
        private final AtomicInteger seen = new AtomicInteger();
        private final AtomicInteger hits = new AtomicInteger();
        private volatile boolean healed;

        private Fault(Call call, Predicate<String> subject, LongUnaryOperator answer, int skip, int times) {
            this.call = call;
            this.subject = subject;
            this.answer = answer;
            this.skip = skip;
            this.times = times;
        }

        int hits() {
            return hits.get();
        }

        void heal() {
            healed = true;
        }

        private boolean strikes(Call made, String on) {
            if (healed || made != call || !subject.test(on)) {
                return false;
            }
            int number = seen.getAndIncrement();
            if (number < skip || number - skip >= times) {
                return false;
            }
            hits.incrementAndGet();
            return true;
        }
    }

    private final List<Fault> faults = new ArrayList<>();

    @Override
    public long admit(Call call, String subject, long position, long lengthBytes) {
        Fault struck = struckBy(call, subject);
        return struck == null ? lengthBytes : struck.answer.applyAsLong(lengthBytes); // which may make calls itself
    }

    private synchronized @Nullable Fault struckBy(Call call, String subject) {
        faults.removeIf(fault -> fault.healed);
        for (Fault fault : faults) {
            if (fault.strikes(call, subject)) {
                return fault;
            }
        }
        return null;
    }

    private synchronized Fault arm(Fault fault) {
        faults.add(fault);
        return fault;
    }

    /// All calls from now on, until healed.
    Fault always(Call call, String suffix, int errno) {
        return arm(new Fault(call, name -> name.endsWith(suffix), _ -> -errno, 0, Integer.MAX_VALUE));
    }

    /// One call, after `skip` that pass.
    Fault once(Call call, String suffix, int skip, int errno) {
        return arm(new Fault(call, name -> name.endsWith(suffix), _ -> -errno, skip, 1));
    }

    /// Runs something in place of one call, after `skip` that pass.
    Fault whenCalled(Call call, String suffix, int skip, Runnable what) {
        return arm(new Fault(
                call,
                name -> name.endsWith(suffix),
                length -> {
                    what.run();
                    return length;
                },
                skip,
                1));
    }

    /// Runs something before each call.
    Fault whenever(Call call, String suffix, Runnable what) {
        return arm(new Fault(
                call,
                name -> name.endsWith(suffix),
                length -> {
                    what.run();
                    return length;
                },
                0,
                Integer.MAX_VALUE));
    }

    /// All calls carry at most `bytes`.
    Fault shorten(Call call, String suffix, long bytes) {
        return arm(new Fault(
                call, name -> name.endsWith(suffix), length -> Math.min(length, bytes), 0, Integer.MAX_VALUE));
    }
}
