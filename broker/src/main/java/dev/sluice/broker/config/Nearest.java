package dev.sluice.broker.config;

import java.util.Comparator;
import java.util.stream.Stream;

/// Guesses what somebody meant who mistyped a name.
public final class Nearest {
    private Nearest() {}

    /// @param known at least one; the first of the nearest is answered
    public static String of(String name, Stream<String> known) {
        // Only the prefix was forgotten: nearer than any other word, however many letters it has.
        return known.min(Comparator.comparingInt(each -> each.endsWith("." + name) ? 0 : distance(each, name)))
                .orElseThrow();
    }

    /// Levenshtein's distance.
    private static int distance(String one, String other) {
        int[] row = new int[other.length() + 1];
        for (int j = 0; j <= other.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= one.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= other.length(); j++) {
                int replaced = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[other.length()];
    }
}
