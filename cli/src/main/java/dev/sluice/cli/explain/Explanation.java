package dev.sluice.cli.explain;

import dev.sluice.cli.explain.Trace.Entry;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Figure;
import java.util.List;
import java.util.Locale;

/// One transfer, as it went: what is drawn from.
///
/// @param name    of the method
/// @param file    of the user's
/// @param ends    `file → socket`
/// @param setting a line: which kernel, over which path
/// @param bytes   moved and found right at the other end
/// @param hops    the way of a byte
/// @param path    the interface that the socket's packets take; empty where there is none
/// @param calls   in order
/// @param figures of the account
/// @param planned what the planner would have taken, and why, in a line
public record Explanation(
        String name,
        String file,
        String ends,
        String setting,
        long bytes,
        List<Hop> hops,
        String path,
        List<Entry> calls,
        List<Figure> figures,
        String planned) {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};

    Scene scene() {
        return Scene.of(hops, path);
    }

    Ladder ladder() {
        return Ladder.of(calls);
    }

    Figure figure(String wanted) {
        return figures.stream()
                .filter(figure -> figure.name().equals(wanted))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(wanted));
    }

    /// `page cache → our buffer`.
    String way(Hop hop) {
        return hop.from() == hop.to()
                ? "within the " + hop.from().label()
                : hop.from().label() + " → " + hop.to().label();
    }

    /// Bytes that made a move.
    String bytesOf(Hop hop) {
        return bytes(bytes * hop.share());
    }

    /// `312 B`, `1.5 KiB`, `118 MiB`: three digits that count, none where they would be noughts.
    static String bytes(double bytes) {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.length - 1) {
            value /= 1024;
            unit++;
        }
        int decimals = value == Math.rint(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%." + decimals + "f %s", value, UNITS[unit]);
    }

    static String bytes(long bytes) {
        return bytes((double) bytes);
    }

    /// A figure's number with its unit, for people.
    static String text(Figure figure) {
        return switch (figure.unit()) {
            case "bytes" -> bytes(figure.number());
            case "ns" ->
                figure.number() < 1e9
                        ? String.format(Locale.ROOT, "%.1f ms", figure.number() / 1e6)
                        : String.format(Locale.ROOT, "%.2f s", figure.number() / 1e9);
            case "copies/byte" ->
                String.format(Locale.ROOT, "%.2f", figure.number()).replaceFirst("\\.?0+$", "");
            default -> String.format(Locale.ROOT, "%,.0f", figure.number());
        };
    }

    /// The mark of a kind of knowledge in front of a figure: `~` for derived ones.
    static String marked(Figure figure) {
        return (figure instanceof Figure.Derived ? "~" : "") + text(figure);
    }

    /// What is told of a call: its name, and how much it was asked to move.
    static String text(Entry entry) {
        // A length that says "all there is" is no figure.
        return entry.lengthBytes() <= 0 || entry.lengthBytes() >= 0x7fff0000L
                ? entry.call().kernelName()
                : entry.call().kernelName() + " " + bytes(entry.lengthBytes());
    }
}
