package dev.sluice.systemtest;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What a command printed, held against what a page shows of it: the same words in the same order, with other numbers,
/// units and widths.
///
/// A line that is only `…` stands for any lines, none too; a `…` within a line for the rest of it, or what is between.
final class Shape {
    private static final Pattern TOKEN =
            Pattern.compile("(?<gap>…)|(?<blank>\\s+)|(?<number>\\d[\\d,.]*)(?<unit> (?:[KMGT]i)?B\\b| [nµm]?s\\b)?|.");

    private Shape() {}

    /// @return the first line of the page that isn't met, or empty
    static Optional<String> missing(List<String> page, List<String> printed) {
        int farthest = farthest(page, printed, 0, 0);
        return farthest > page.size()
                ? Optional.empty()
                : Optional.of(farthest == page.size() ? "its end, for there is more" : page.get(farthest));
    }

    /// @return the page's length + 1 when all of it is met; otherwise the line at which the best try ended
    private static int farthest(List<String> page, List<String> printed, int line, int at) {
        if (line == page.size()) {
            return at == printed.size() ? page.size() + 1 : line;
        }
        if (page.get(line).strip().equals("…")) {
            int best = line;
            for (int next = at; next <= printed.size(); next++) {
                best = Math.max(best, farthest(page, printed, line + 1, next));
                if (best > page.size()) {
                    return best;
                }
            }
            return best;
        }
        return at < printed.size()
                        && pattern(page.get(line)).matcher(printed.get(at)).matches()
                ? farthest(page, printed, line + 1, at + 1)
                : line;
    }

    private static Pattern pattern(String line) {
        StringBuilder pattern = new StringBuilder("\\s*");
        Matcher token = TOKEN.matcher(line.strip());
        while (token.find()) {
            if (token.group("gap") != null) {
                pattern.append(".*");
            } else if (token.group("blank") != null) {
                pattern.append("\\s*"); // columns are as wide as their numbers
            } else if (token.group("number") != null) {
                pattern.append("\\d[\\d,.]*");
                pattern.append(token.group("unit") == null ? "" : " (?:(?:[KMGT]i)?B|[nµm]?s)");
            } else {
                pattern.append(Pattern.quote(token.group()));
            }
        }
        return Pattern.compile(pattern.append("\\s*").toString());
    }
}
