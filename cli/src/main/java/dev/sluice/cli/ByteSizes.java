package dev.sluice.cli;

import java.util.Set;
import java.util.TreeSet;

/// Sizes as they are typed: `4096`, `4K`, `64KiB`, `1M`, `2G`; units are powers of 1024.
final class ByteSizes {
    private ByteSizes() {}

    /// @throws CommandFailure that names the option
    static long parse(String option, String text) throws CommandFailure {
        String digits = text.replaceFirst("(?i)([kmg]?)(i?b)?$", "");
        String unit = text.substring(digits.length()).toLowerCase(java.util.Locale.ROOT);
        int shift = unit.startsWith("k") ? 10 : unit.startsWith("m") ? 20 : unit.startsWith("g") ? 30 : 0;
        try {
            long size = Math.multiplyExact(Long.parseLong(digits), 1L << shift);
            if (size > 0) {
                return size;
            }
        } catch (NumberFormatException | ArithmeticException _) {
            // said below
        }
        throw CommandFailure.usage(
                "'" + text + "' is not a size for " + option + "; write for example 4096, 64K or 1M");
    }

    /// A list with commas, ascending, each once.
    static Set<Long> parseList(String option, String text) throws CommandFailure {
        Set<Long> sizes = new TreeSet<>();
        for (String one : text.split(",", -1)) {
            sizes.add(parse(option, one.strip()));
        }
        return sizes;
    }
}
