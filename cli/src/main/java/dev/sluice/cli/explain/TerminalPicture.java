package dev.sluice.cli.explain;

import dev.sluice.cli.explain.Ladder.Rung;
import dev.sluice.cli.explain.Scene.Arrow;
import dev.sluice.cli.explain.Scene.Box;
import dev.sluice.cli.explain.Trace.Entry;
import dev.sluice.io.transfer.CopyModel.By;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Figure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// An explanation for a terminal of 104 columns that knows the drawing characters of Unicode.
public final class TerminalPicture {
    private static final int WIDTH = 104;
    private static final int LANE = 7;
    private static final int BOX_WIDTH = 24;
    private static final int BOX_HEIGHT = 3;
    private static final int[] COLUMN = {2, 40, 78};
    private static final String[] LANE_NAMES = {"user space", "kernel", "devices"};

    private final Explanation told;
    private final StringBuilder out = new StringBuilder();

    private TerminalPicture(Explanation told) {
        this.told = told;
    }

    /// The whole text, lines ended.
    public static String of(Explanation told) {
        TerminalPicture picture = new TerminalPicture(told);
        picture.head();
        picture.scene();
        picture.list();
        picture.ladder();
        picture.figures();
        return picture.out.toString();
    }

    private void head() {
        out.append(told.name())
                .append(": ")
                .append(told.ends())
                .append(", ")
                .append(Explanation.bytes(told.bytes()))
                .append(" of ")
                .append(told.file())
                .append('\n')
                .append(told.setting())
                .append("\n\n");
    }

    private void scene() {
        Scene scene = told.scene();
        Canvas canvas = new Canvas(WIDTH, Scene.LANES * LANE);
        for (int lane = 0; lane < Scene.LANES; lane++) {
            if (lane > 0) {
                canvas.across(0, WIDTH - 1, lane * LANE, '┈');
            }
            int here = lane;
            if (lane == Scene.USER && scene.boxes().stream().noneMatch(box -> box.lane() == here)) {
                canvas.text(COLUMN[1] - 4, 3, "no byte comes here: only calls");
            }
            canvas.text(0, lane * LANE + (lane == 0 ? 0 : 1), LANE_NAMES[lane]);
        }
        for (Box box : scene.boxes()) {
            canvas.box(left(box), top(box), BOX_WIDTH, BOX_HEIGHT, box.used(), box.label());
        }
        for (Arrow arrow : scene.arrows()) {
            draw(canvas, arrow);
        }
        out.append(canvas);
        out.append(
                "━━▶ the processor copies   ══▶ a device copies (DMA)   ┄┄▶ a reference is handed over   ╌ not used\n\n");
    }

    private static int left(Box box) {
        return COLUMN[box.column()];
    }

    private static int right(Box box) {
        return left(box) + BOX_WIDTH - 1;
    }

    private static int center(Box box) {
        return left(box) + BOX_WIDTH / 2;
    }

    private static int top(Box box) {
        return box.lane() * LANE + 2;
    }

    private static int middle(Box box) {
        return top(box) + 1;
    }

    private void draw(Canvas canvas, Arrow arrow) {
        Box from = arrow.from();
        Box to = arrow.to();
        char across = arrow.by() == By.CPU ? '━' : arrow.by() == By.DMA ? '═' : '┄';
        char down = arrow.by() == By.CPU ? '┃' : arrow.by() == By.DMA ? '║' : '┆';
        if (from == to) {
            String again = label(arrow, true) + " ↻";
            canvas.text(left(from) - 1 - again.length(), middle(from) + 1, again);
        } else if (from.lane() == to.lane()) {
            canvas.across(right(from) + 1, left(to) - 2, middle(from), across);
            canvas.put(left(to) - 1, middle(from), '▶');
            boolean isNear = to.column() - from.column() == 1;
            canvas.text(right(from) + 2, middle(from) - 1, label(arrow, !isNear));
        } else if (from.column() == to.column()) {
            boolean up = to.lane() < from.lane();
            int start = up ? top(from) - 1 : top(from) + BOX_HEIGHT;
            int end = up ? top(to) + BOX_HEIGHT : top(to) - 1;
            canvas.down(center(from), start, end, down);
            canvas.put(center(from), end, up ? '▲' : '▼');
            String label = label(arrow, true);
            int at = from.column() == Scene.COLUMNS - 1 ? center(from) - 2 - label.length() : center(from) + 3;
            canvas.text(at, (start + end) / 2, label);
        } else if (to.lane() < from.lane()) {
            canvas.down(center(from), top(from) - 1, middle(to), down);
            canvas.across(center(from), left(to) - 2, middle(to), across);
            canvas.put(center(from), middle(to), arrow.by() == By.CPU ? '┏' : '╭');
            canvas.put(left(to) - 1, middle(to), '▶');
            canvas.text(center(from) + 2, middle(to) - 1, label(arrow, true));
        } else {
            canvas.across(right(from) + 1, center(to), middle(from), across);
            canvas.down(center(to), middle(from), top(to) - 1, down);
            canvas.put(center(to), middle(from), arrow.by() == By.CPU ? '┓' : '╮');
            canvas.put(center(to), top(to) - 1, '▼');
            canvas.text(right(from) + 3, middle(from) - 1, label(arrow, true));
        }
    }

    private String label(Arrow arrow, boolean whole) {
        String number = number(arrow.number());
        return switch (arrow.by()) {
            case CPU -> number + (whole ? " CPU " + told.bytesOf(arrow.hop()) : " CPU");
            case DMA -> number + (whole ? " DMA " + told.bytesOf(arrow.hop()) : " DMA");
            case REFERENCE -> number + (whole ? " by reference" : " reference");
        };
    }

    /// ① to ⑳.
    static String number(int number) {
        return String.valueOf((char) ('①' + number - 1));
    }

    private void list() {
        int number = 1;
        for (Hop hop : told.hops()) {
            String who = switch (hop.by()) {
                case CPU -> "the processor copies " + told.bytesOf(hop);
                case DMA -> "a device copies " + told.bytesOf(hop) + (hop.later() ? ", later" : "");
                case REFERENCE -> "a reference, nothing copied";
            };
            out.append(number(number++))
                    .append(' ')
                    .append(told.way(hop))
                    .append(": ")
                    .append(who)
                    .append("\n    ")
                    .append(hop.source())
                    .append('\n');
        }
        out.append('\n');
    }

    private void ladder() {
        StringBuilder user = new StringBuilder("user    ─");
        StringBuilder kernel = new StringBuilder("kernel   ");
        for (Rung rung : told.ladder().within(WIDTH - 8).rungs()) {
            if (rung.calls().isEmpty()) {
                add(user, kernel, rung.times() + " more calls");
                continue;
            }
            for (Entry call : rung.calls()) {
                add(user, kernel, Explanation.text(call));
            }
            if (rung.times() > 1) {
                String times = String.format(Locale.ROOT, " × %,d ", rung.times());
                user.append(times).append('─');
                kernel.append(" ".repeat(times.length() + 1));
            }
        }
        out.append("The calls, in order:\n")
                .append(user)
                .append('\n')
                .append(kernel.toString().stripTrailing())
                .append("\n\n");
    }

    private static void add(StringBuilder user, StringBuilder kernel, String call) {
        user.append('┐').append(" ".repeat(call.length() + 2)).append("┌─");
        kernel.append("└ ").append(call).append(" ┘ ");
    }

    private void figures() {
        List<List<Figure>> columns = List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (Figure figure : told.figures()) {
            switch (figure) {
                case Figure.Counted counted -> columns.get(0).add(counted);
                case Figure.Derived derived -> columns.get(1).add(derived);
                case Figure.Measured measured -> columns.get(2).add(measured);
            }
        }
        String[] heads = {"counted", "derived", "measured, of this thread"};
        int[] widths = {32, 28, 44};
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < heads.length; i++) {
            line.append(padded(heads[i], widths[i]));
        }
        out.append(line.toString().stripTrailing()).append('\n');
        int rows = columns.stream().mapToInt(List::size).max().orElse(0);
        for (int row = 0; row < rows; row++) {
            line.setLength(0);
            for (int i = 0; i < heads.length; i++) {
                List<Figure> column = columns.get(i);
                line.append(padded(
                        row < column.size()
                                ? padded(column.get(row).name(), widths[i] - 14) + Explanation.marked(column.get(row))
                                : "",
                        widths[i]));
            }
            out.append(line.toString().stripTrailing()).append('\n');
        }
        out.append("\nThe planner would begin with ").append(told.planned()).append('\n');
    }

    private static String padded(String text, int width) {
        return text.length() >= width ? text + " " : text + " ".repeat(width - text.length());
    }
}
