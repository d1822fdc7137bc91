package dev.sluice.cli.compare;

import dev.sluice.io.transfer.Figure;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// One line of the table: a way with one size of pieces.
///
/// @param direction   from what to what
/// @param family      `sluice`, `JDK` or `Netty`
/// @param name        of the way
/// @param pieceBytes  most bytes a call was asked to move; 0 where the way has no such thing
/// @param state       the state of the way to the other side, where it has several
/// @param cold        whether what was moved was thrown out of the page cache before
/// @param swept       whether the size was measured for the picture of sizes alone
/// @param planned     whether the planner would pick it here
/// @param samples     of every run; none if it is unavailable
/// @param unavailable why; empty if it was measured
public record Row(
        Direction direction,
        String family,
        String name,
        int pieceBytes,
        String state,
        boolean cold,
        boolean swept,
        boolean planned,
        List<Sample> samples,
        Optional<String> unavailable) {

    /// The middle of all runs, and how far they lie apart.
    public record Spread(double median, double least, double most) {}

    public boolean isOurs() {
        return family.equals(Way.Family.SLUICE.label());
    }

    public long bytesPerRun() {
        return samples.isEmpty() ? 0 : samples.getFirst().lengthBytes();
    }

    public int runs() {
        return samples.size();
    }

    public Spread gigabytesPerSecond() {
        return spread(Sample::gigabytesPerSecond);
    }

    public Spread cpuSecondsPerGib() {
        return spread(Sample::cpuSecondsPerGib);
    }

    /// The median's part in user mode. The kernel splits by samples of its timer, so the split is taken over all
    /// runs together.
    public double userSecondsPerGib() {
        double user = samples.stream().mapToDouble(Sample::userSecondsPerGib).sum();
        double system =
                samples.stream().mapToDouble(Sample::systemSecondsPerGib).sum();
        return user + system == 0 ? 0 : cpuSecondsPerGib().median() * user / (user + system);
    }

    public double systemSecondsPerGib() {
        return cpuSecondsPerGib().median() - userSecondsPerGib();
    }

    /// Whether there is another side that has told its processor time.
    public boolean hasOtherSide() {
        return !samples.isEmpty() && last().peerCpuNs() >= 0;
    }

    /// Of the other side's process, taking sums included.
    public Spread peerCpuSecondsPerGib() {
        return spread(Sample::peerCpuSecondsPerGib);
    }

    /// Bytes read from devices for each byte moved, read-ahead included.
    public Spread deviceReadPerByte() {
        return spread(Sample::deviceReadPerByte);
    }

    public Spread callsPerMib() {
        return spread(sample -> sample.perMib(sample.cost().calls().number()));
    }

    public Spread modeSwitchesPerMib() {
        return spread(sample -> sample.perMib(sample.cost().switches().value()));
    }

    public Spread contextSwitchesPerMib() {
        return spread(Sample::contextSwitchesPerMib);
    }

    /// Of the whole machine while it moved; neighbours' too.
    public Spread interruptsPerMib() {
        return spread(Sample::interruptsPerMib);
    }

    /// Of the whole machine, likewise.
    public Spread softirqsPerMib() {
        return spread(Sample::softirqsPerMib);
    }

    public Spread faultsPerMib() {
        return spread(Sample::faultsPerMib);
    }

    public Spread majorFaultsPerMib() {
        return spread(Sample::majorFaultsPerMib);
    }

    /// Counted for our own ways, derived for the JDK's.
    public Figure calls() {
        return last().cost().calls();
    }

    public Figure.Derived modeSwitches() {
        return last().cost().switches();
    }

    public Figure.Derived cpuCopies() {
        return last().cost().cpuCopies();
    }

    public Figure.Derived dmaCopies() {
        return last().cost().dmaCopies();
    }

    /// What went otherwise than the name says; empty if nothing did.
    public String remark() {
        return last().cost().remark();
    }

    private Sample last() {
        return samples.getLast();
    }

    private Spread spread(ToDoubleFunction<Sample> figure) {
        double[] sorted = samples.stream().mapToDouble(figure).sorted().toArray();
        int n = sorted.length;
        double median = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
        return new Spread(median, sorted[0], sorted[n - 1]);
    }
}
