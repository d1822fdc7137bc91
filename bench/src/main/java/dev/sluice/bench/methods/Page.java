package dev.sluice.bench.methods;

import dev.sluice.bench.methods.Measured.Row;
import dev.sluice.bench.methods.Measured.Spread;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// A page whose tables of figures are made from measurements. What a table shows stands in the page, in front of it:
///
/// ```
/// <!-- measured KIND DIRECTION: name | name -->
/// …the table, replaced whenever figures are measured anew…
/// <!-- /measured -->
/// ```
///
/// | kind | shows |
/// |---|---|
/// | `sizes` | processor time by size of pieces, and what else is known of each way at 64 KiB |
/// | `sweep` | processor time by every size that was measured |
/// | `waits` | what moved threads and interrupted the processors |
/// | `cold` | the largest pieces, warm and cold, with faults and bytes from the device |
/// | `states` | the states of a way to the other side, beside each other |
/// | `short` | a line a way: `DIRECTION name` each, for the head of the README |
/// | `setting` | one line: where, with what, how often |
///
/// In a page of another language the heads of the columns are in that language, and the figures are the same.
final class Page {
    private static final Pattern TABLE = Pattern.compile(
            "(<!-- measured (\\w+)(?: (\\w+))?(?:: (.*?))? -->\\n).*?(<!-- /measured -->)", Pattern.DOTALL);

    private static final int MIDDLE_BYTES = 64 << 10;
    private static final String CPU = "cpuSecondsPerGib";
    private static final String SPEED = "gigabytesPerSecond";

    /// A word of a table's head.
    private enum Word {
        METHOD("method", "方法"),
        CPU_SECONDS("CPU s/GiB", "CPU 秒/GiB"),
        SPEED("GB/s", "GB/s"),
        CALLS("calls/MiB", "系统调用/MiB"),
        SWITCHES("mode switches/MiB", "态切换/MiB"),
        COPIES("copies CPU + DMA", "拷贝 CPU + DMA"),
        FAULTS("faults/MiB", "缺页/MiB"),
        MAJOR("of them major", "其中主缺页"),
        THREADS("thread switches/MiB", "线程切换/MiB"),
        INTERRUPTS("interrupts/MiB", "中断/MiB"),
        SOFTIRQS("softirqs/MiB", "软中断/MiB"),
        WARM("warm", "热"),
        COLD("cold", "冷"),
        DEVICE("read from the device", "从设备读取"),
        NOT_HERE("not on this machine", "本机没有"),
        MEASURED("Measured", "测量于"),
        RUNS("runs each, interleaved; medians, least–most in brackets", "次，交错进行；取中位数，括号内为最小–最大");

        private final String english;
        private final String chinese;

        Word(String english, String chinese) {
            this.english = english;
            this.chinese = chinese;
        }
    }

    private final Measured measured;
    private final boolean chinese;

    private Page(Measured measured, boolean chinese) {
        this.measured = measured;
        this.chinese = chinese;
    }

    /// The page with its tables made anew.
    ///
    /// @param text    the page as it was
    /// @param date    of the measurement
    static String filled(String text, boolean chinese, Measured measured, String date) {
        Page page = new Page(measured, chinese);
        return TABLE.matcher(text)
                .replaceAll(table -> Matcher.quoteReplacement(
                        table.group(1) + "\n" + page.table(table, date) + "\n" + table.group(5)));
    }

    private String table(MatchResult marker, String date) {
        List<String> names = marker.group(4) == null
                ? List.of()
                : Arrays.stream(marker.group(4).split(" \\| ")).toList();
        Function<String, Predicate<Row>> named = name -> row -> row.direction().equals(marker.group(3))
                && row.name().equals(name)
                && row.state().isEmpty();
        return switch (marker.group(2)) {
            case "sizes" -> sizes(names, named);
            case "sweep" -> sweep(names, named);
            case "waits" -> waits(names, named);
            case "cold" -> cold(names, named);
            case "states" -> states(names, marker.group(3));
            case "short" -> shortTable(names);
            case "setting" -> setting(date);
            default -> throw new IllegalArgumentException("no such table: " + marker.group());
        };
    }

    private String word(Word word) {
        return chinese ? word.chinese : word.english;
    }

    private List<Row> rows(Predicate<Row> which) {
        return measured.rows().stream().filter(which).toList();
    }

    /// The only one, of the largest pieces if there are several; of a name that isn't measured at all an error.
    private static Row at(List<Row> rows, String name, int pieceBytes) {
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("nothing is called " + name + " there");
        }
        return rows.stream()
                .filter(row -> row.pieceBytes() == pieceBytes)
                .findFirst()
                .orElse(rows.getLast());
    }

    private String sizes(List<String> names, Function<String, Predicate<Row>> named) {
        List<Integer> sizes = pieces(names, named, row -> !row.swept());
        List<String> head = new ArrayList<>(List.of(word(Word.METHOD)));
        sizes.forEach(size -> head.add(word(Word.CPU_SECONDS) + ", " + size(size)));
        head.addAll(Stream.of(Word.SPEED, Word.CALLS, Word.SWITCHES, Word.COPIES, Word.FAULTS)
                .map(this::word)
                .toList());
        List<List<String>> lines = new ArrayList<>();
        for (String name : names) {
            List<Row> warm = rows(named.apply(name).and(row -> !row.cold() && !row.swept()));
            Row middle = at(warm, name, MIDDLE_BYTES);
            List<String> cells = new ArrayList<>(List.of("`" + name + "`"));
            if (!middle.isMeasured()) {
                cells.add(word(Word.NOT_HERE));
                lines.add(cells);
                continue;
            }
            // A way without pieces of a choice has one figure, which stands under each size that is nearest to it.
            for (int size : sizes) {
                cells.add(
                        warm.size() == 1 && size != MIDDLE_BYTES
                                ? ""
                                : spread(at(warm, name, size).figure(CPU)));
            }
            cells.add(decimal("%.2f", middle.figure(SPEED).median()));
            cells.add(count(middle.figure("callsPerMib").median()));
            cells.add(count(middle.figure("modeSwitchesPerMib").median()));
            cells.add(decimal("%.1f", middle.copies()[0]) + " + " + decimal("%.1f", middle.copies()[1]));
            cells.add(count(middle.figure("faultsPerMib").median()));
            lines.add(cells);
        }
        return markdown(head, lines);
    }

    private String sweep(List<String> names, Function<String, Predicate<Row>> named) {
        List<Integer> sizes = pieces(names, named, _ -> true);
        List<String> head = new ArrayList<>(List.of(word(Word.CPU_SECONDS)));
        sizes.forEach(size -> head.add(size(size)));
        List<List<String>> lines = new ArrayList<>();
        for (String name : names) {
            List<Row> warm = rows(named.apply(name).and(row -> !row.cold()));
            List<String> cells = new ArrayList<>(List.of("`" + name + "`"));
            for (int size : sizes) {
                cells.add(decimal("%.3f", at(warm, name, size).figure(CPU).median()));
            }
            lines.add(cells);
        }
        return markdown(head, lines);
    }

    private String waits(List<String> names, Function<String, Predicate<Row>> named) {
        List<String> head = Stream.of(
                        Word.METHOD,
                        Word.CPU_SECONDS,
                        Word.SPEED,
                        Word.CALLS,
                        Word.THREADS,
                        Word.INTERRUPTS,
                        Word.SOFTIRQS)
                .map(this::word)
                .toList();
        List<List<String>> lines = new ArrayList<>();
        for (String name : names) {
            Row row = at(rows(named.apply(name).and(one -> !one.cold() && !one.swept())), name, MIDDLE_BYTES);
            List<String> cells = new ArrayList<>(List.of("`" + name + "`"));
            if (!row.isMeasured()) {
                cells.add(word(Word.NOT_HERE));
            } else {
                cells.add(spread(row.figure(CPU)));
                cells.add(decimal("%.2f", row.figure(SPEED).median()));
                for (String figure :
                        List.of("callsPerMib", "contextSwitchesPerMib", "interruptsPerMib", "softirqsPerMib")) {
                    cells.add(count(row.figure(figure).median()));
                }
            }
            lines.add(cells);
        }
        return markdown(head, lines);
    }

    private String cold(List<String> names, Function<String, Predicate<Row>> named) {
        List<String> head = List.of(
                word(Word.METHOD),
                word(Word.CPU_SECONDS) + ", " + word(Word.WARM),
                word(Word.COLD),
                word(Word.SPEED) + ", " + word(Word.WARM),
                word(Word.COLD),
                word(Word.FAULTS) + ", " + word(Word.COLD),
                word(Word.MAJOR),
                word(Word.DEVICE) + ", " + word(Word.COLD));
        List<List<String>> lines = new ArrayList<>();
        for (String name : names) {
            Row cold = at(rows(named.apply(name).and(Row::cold)), name, 0);
            Row warm = at(rows(named.apply(name).and(row -> !row.cold() && !row.swept())), name, cold.pieceBytes());
            lines.add(List.of(
                    "`" + name + "`",
                    spread(warm.figure(CPU)),
                    spread(cold.figure(CPU)),
                    decimal("%.2f", warm.figure(SPEED).median()),
                    decimal("%.2f", cold.figure(SPEED).median()),
                    count(cold.figure("faultsPerMib").median()),
                    count(cold.figure("majorFaultsPerMib").median()),
                    decimal("%.0f%%", 100 * cold.figure("deviceReadPerByte").median())));
        }
        return markdown(head, lines);
    }

    private String states(List<String> names, String direction) {
        List<Row> all =
                rows(row -> row.direction().equals(direction) && !row.state().isEmpty());
        if (all.isEmpty()) {
            return word(Word.NOT_HERE);
        }
        List<String> states = all.stream().map(Row::state).distinct().toList();
        List<String> head = new ArrayList<>(List.of(word(Word.METHOD)));
        states.forEach(state -> {
            head.add(word(Word.CPU_SECONDS) + ", " + state);
            head.add(word(Word.COPIES));
        });
        List<List<String>> lines = new ArrayList<>();
        for (String name : names) {
            List<String> cells = new ArrayList<>(List.of("`" + name + "`"));
            for (String state : states) {
                Row row = at(
                        all.stream()
                                .filter(one ->
                                        one.name().equals(name) && one.state().equals(state))
                                .toList(),
                        name,
                        MIDDLE_BYTES);
                cells.add(spread(row.figure(CPU)));
                cells.add(decimal("%.1f", row.copies()[0]) + " + " + decimal("%.1f", row.copies()[1]));
            }
            lines.add(cells);
        }
        return markdown(head, lines);
    }

    private String shortTable(List<String> names) {
        List<String> head = Stream.of(Word.METHOD, Word.COPIES, Word.CALLS, Word.CPU_SECONDS, Word.SPEED)
                .map(this::word)
                .toList();
        List<List<String>> lines = new ArrayList<>();
        for (String line : names) {
            String direction = line.substring(0, line.indexOf(' '));
            String name = line.substring(direction.length() + 1);
            Row row = at(
                    rows(one -> one.direction().equals(direction)
                            && one.name().equals(name)
                            && one.state().isEmpty()
                            && !one.cold()
                            && !one.swept()),
                    line,
                    MIDDLE_BYTES);
            String ends = direction.toLowerCase(Locale.ROOT).replace("_to_", " → ");
            lines.add(List.of(
                    ends + ": `" + name + "`",
                    decimal("%.1f", row.copies()[0]) + " + " + decimal("%.1f", row.copies()[1]),
                    count(row.figure("callsPerMib").median()),
                    spread(row.figure(CPU)),
                    decimal("%.2f", row.figure(SPEED).median())));
        }
        return markdown(head, lines);
    }

    private String setting(String date) {
        String file = String.valueOf(measured.setting().get("file"));
        String runs = String.valueOf(measured.setting().get("runs")).replaceFirst(",.*", "");
        return word(Word.MEASURED) + " " + date + ": "
                + measured.setting().get("kernel") + "; "
                + measured.setting().get("Java") + "; " + file.replaceFirst("^.*?, ", "") + "; loopback; " + runs + " "
                + word(Word.RUNS) + (chinese ? "。" : ".") + "\n";
    }

    private List<Integer> pieces(List<String> names, Function<String, Predicate<Row>> named, Predicate<Row> which) {
        return names.stream()
                .flatMap(name ->
                        rows(named.apply(name).and(which).and(row -> !row.cold() && row.pieceBytes() > 0)).stream())
                .map(Row::pieceBytes)
                .distinct()
                .sorted()
                .toList();
    }

    private static String markdown(List<String> head, List<List<String>> lines) {
        StringBuilder table = new StringBuilder();
        line(table, head);
        line(table, IntStream.range(0, head.size()).mapToObj(_ -> "---").toList());
        for (List<String> cells : lines) {
            line(
                    table,
                    Stream.concat(
                                    cells.stream(),
                                    IntStream.range(cells.size(), head.size()).mapToObj(_ -> ""))
                            .toList());
        }
        return table.toString();
    }

    private static void line(StringBuilder table, List<String> cells) {
        table.append(cells.stream().collect(Collectors.joining(" | ", "| ", " |")))
                .append('\n');
    }

    private static String size(int bytes) {
        return bytes >= 1 << 20 ? (bytes >> 20) + " MiB" : (bytes >> 10) + " KiB";
    }

    /// `**0.468** (0.34–0.52)`
    private static String spread(Spread spread) {
        return "**" + decimal("%.3f", spread.median()) + "** (" + decimal("%.2f", spread.least()) + "–"
                + decimal("%.2f", spread.most()) + ")";
    }

    private static String count(double number) {
        return decimal(number < 9.95 && number != Math.rint(number) ? "%.2f" : "%.0f", number);
    }

    private static String decimal(String format, double number) {
        return String.format(Locale.ROOT, format, number);
    }
}
