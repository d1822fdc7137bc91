package dev.sluice.bench.tools;

import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/// The median of paired ratios, with how sure it is.
///
/// @param median of the ratios
/// @param low    lower end of the interval that holds 95% of medians of samples drawn again from the pairs (percentile
///               bootstrap)
/// @param high   its upper end
/// @param least  the smallest ratio of a pair
/// @param most   the largest
public record Ratios(double median, double low, double high, double least, double most) {
    private static final int DRAWS = 10_000;

    /// Fixed, so that the same pairs give the same interval.
    private static final long SEED = 42;

    /// @param ours   one figure a pair
    /// @param theirs the other of the same pair, at the same place
    public static Ratios of(double[] ours, double[] theirs) {
        if (ours.length != theirs.length || ours.length == 0) {
            throw new IllegalArgumentException(ours.length + " and " + theirs.length + " figures make no pairs");
        }
        double[] ratios = new double[ours.length];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = ours[i] / theirs[i];
        }
        double[] medians = new double[DRAWS];
        double[] drawn = new double[ratios.length];
        Random random = new Random(SEED);
        for (int draw = 0; draw < DRAWS; draw++) {
            for (int i = 0; i < drawn.length; i++) {
                drawn[i] = ratios[random.nextInt(ratios.length)];
            }
            medians[draw] = median(drawn);
        }
        Arrays.sort(medians);
        Arrays.sort(ratios);
        return new Ratios(
                median(ratios),
                medians[(int) (DRAWS * 0.025)],
                medians[(int) (DRAWS * 0.975)],
                ratios[0],
                ratios[ratios.length - 1]);
    }

    public static double median(double[] figures) {
        double[] sorted = figures.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// `1.02 (0.97–1.06; pairs 0.91–1.15)`
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.2f (%.2f–%.2f; pairs %.2f–%.2f)", median, low, high, least, most);
    }
}
