package dev.sluice.cli.explain;

import static dev.sluice.cli.plot.HtmlPage.escaped;

import dev.sluice.cli.explain.Ladder.Rung;
import dev.sluice.cli.explain.Scene.Arrow;
import dev.sluice.cli.explain.Scene.Box;
import dev.sluice.io.transfer.CopyModel.By;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Figure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// An explanation as one SVG file: nothing fetched from anywhere, no script.
public final class SvgPicture {
    private static final int WIDTH = 1200;
    private static final int LEFT = 28;
    private static final int SCENE_WIDTH = 830;
    private static final int SCENE_TOP = 92;
    private static final int LANE = 136;
    private static final int BOX_WIDTH = 168;
    private static final int BOX_HEIGHT = 56;
    private static final int[] COLUMN = {66, 350, 634};
    private static final int SIDE = 890;
    private static final String[] LANE_NAMES = {"USER SPACE", "KERNEL", "DEVICES"};

    private static final String STYLE = """
            text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1d2530; font-size: 13px; }
            .title { font-size: 25px; font-weight: 700; } .soft { fill: #5c6773; } .small { font-size: 11.5px; }
            .ends { font-size: 15px; font-weight: 400; fill: #5c6773; }
            .lane { font-size: 11px; font-weight: 700; letter-spacing: .12em; fill: #7b8794; }
            .user { fill: #eaf4f9; } .kernel { fill: #f1f1f5; } .devices { fill: #f6f2ea; }
            .border { stroke: #b4bdc7; stroke-dasharray: 5 5; } .boxline { fill: #fff; stroke: #33404d; stroke-width: 1.6; }
            .ghost { fill: none; stroke: #aab3bd; stroke-width: 1.4; stroke-dasharray: 4 4; } .boxname { font-weight: 600; }
            .arrow { fill: none; } .cpu { stroke: #d1480f; stroke-width: 4.5; } .dma { stroke: #11805a; stroke-width: 3.2; stroke-dasharray: 9 4; }
            .ref { stroke: #66717d; stroke-width: 1.8; stroke-dasharray: 2 4; }
            .cputext { fill: #b83c08; font-weight: 700; } .dmatext { fill: #0d6a4a; font-weight: 700; } .reftext { fill: #5c6773; font-weight: 600; }
            .dot { stroke: #fff; stroke-width: 1.5; } .dotnumber { fill: #fff; font-size: 12px; font-weight: 700; }
            .big { font-size: 30px; font-weight: 700; } .bigcpu { fill: #b83c08; } .bigdma { fill: #0d6a4a; }
            .wave { fill: none; stroke: #0b6e99; stroke-width: 2.2; } .bracket { fill: none; stroke: #0b6e99; } .times { font-weight: 700; fill: #0b6e99; }
            .rule { stroke: #d9dee4; } .right { text-anchor: end; } .mid { text-anchor: middle; } .mono { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 11.5px; }
            """;

    private final Explanation told;
    private final StringBuilder svg = new StringBuilder();
    private int bottom;

    private SvgPicture(Explanation told) {
        this.told = told;
    }

    /// Writes the file, over what may be there.
    public static void write(Explanation told, Path file) throws IOException {
        Files.writeString(file, text(told));
    }

    static String text(Explanation told) {
        SvgPicture picture = new SvgPicture(told);
        picture.head();
        picture.scene();
        picture.side();
        picture.ladder();
        picture.list();
        int height = picture.bottom + 16;
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + WIDTH + " " + height + "\" width=\"" + WIDTH
                + "\" height=\"" + height + "\" role=\"img\">\n<title>"
                + escaped(told.name() + ", " + told.ends()) + "</title>\n<style>" + STYLE + "</style>\n"
                + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n" + picture.svg + "</svg>\n";
    }

    private void head() {
        svg.append("<text x=\"" + LEFT + "\" y=\"42\" class=\"title\">" + escaped(told.name())
                + "<tspan class=\"ends\" dx=\"18\">"
                + escaped(told.ends() + ", " + Explanation.bytes(told.bytes()) + " of " + told.file())
                + "</tspan></text>\n");
        text(LEFT, 68, "soft", told.setting());
    }

    private void scene() {
        Scene scene = told.scene();
        String[] styles = {"user", "kernel", "devices"};
        for (int lane = 0; lane < Scene.LANES; lane++) {
            int y = SCENE_TOP + lane * LANE;
            svg.append("<rect x=\"" + LEFT + "\" y=\"" + y + "\" width=\"" + SCENE_WIDTH + "\" height=\"" + LANE
                    + "\" class=\"" + styles[lane] + "\"/>\n");
            text(LEFT + 12, y + 20, "lane", LANE_NAMES[lane]);
            int here = lane;
            if (lane == Scene.USER && scene.boxes().stream().noneMatch(box -> box.lane() == here)) {
                text(LEFT + SCENE_WIDTH / 2, y + LANE / 2 + 8, "mid soft", "no byte comes here: only calls");
            }
            if (lane > 0) {
                svg.append("<line class=\"border\" x1=\"" + LEFT + "\" x2=\"" + (LEFT + SCENE_WIDTH) + "\" y1=\"" + y
                        + "\" y2=\"" + y + "\"/>\n");
            }
        }
        for (Box box : scene.boxes()) {
            svg.append("<rect rx=\"9\" x=\"" + left(box) + "\" y=\"" + top(box) + "\" width=\"" + BOX_WIDTH
                    + "\" height=\"" + BOX_HEIGHT + "\" class=\"" + (box.used() ? "boxline" : "ghost") + "\"/>\n");
            text(
                    center(box),
                    middle(box) + (box.used() ? 5 : -2),
                    "mid " + (box.used() ? "boxname" : "soft"),
                    box.label());
            if (!box.used()) {
                text(center(box), middle(box) + 15, "mid soft small", "not read: all was cached");
            }
        }
        for (Arrow arrow : scene.arrows()) {
            draw(arrow);
        }
        int y = SCENE_TOP + Scene.LANES * LANE + 24;
        legend(LEFT + 12, y, "cpu", "the processor copies");
        legend(LEFT + 230, y, "dma", "a device copies (DMA)");
        legend(LEFT + 455, y, "ref", "a reference is handed over, nothing is copied");
        bottom = y + 18;
    }

    private void legend(int x, int y, String style, String text) {
        svg.append("<path class=\"arrow " + style + "\" d=\"M" + x + " " + (y - 4) + "h34\"/>\n");
        text(x + 44, y, "small", text);
    }

    private static int left(Box box) {
        return COLUMN[box.column()];
    }

    private static int right(Box box) {
        return left(box) + BOX_WIDTH;
    }

    private static int center(Box box) {
        return left(box) + BOX_WIDTH / 2;
    }

    private static int top(Box box) {
        return SCENE_TOP + box.lane() * LANE + (LANE - BOX_HEIGHT) / 2 + 6;
    }

    private static int low(Box box) {
        return top(box) + BOX_HEIGHT;
    }

    private static int middle(Box box) {
        return top(box) + BOX_HEIGHT / 2;
    }

    private void draw(Arrow arrow) {
        Box from = arrow.from();
        Box to = arrow.to();
        if (from == to) {
            int x = left(from);
            int y = middle(from);
            path(arrow, "M" + x + " " + (y - 12) + "c-44 -10 -44 34 -8 24", x, y + 12, 0);
            label(arrow, x - 42, y + 4, "end");
        } else if (from.lane() == to.lane()) {
            int y = middle(from);
            path(arrow, "M" + right(from) + " " + y + "H" + (left(to) - 9), left(to), y, 0);
            label(arrow, (right(from) + left(to)) / 2, y - 16, "middle");
        } else if (from.column() == to.column()) {
            boolean up = to.lane() < from.lane();
            int x = center(from);
            int start = up ? top(from) : low(from);
            int end = up ? low(to) : top(to);
            path(arrow, "M" + x + " " + start + "V" + (end + (up ? 9 : -9)), x, end, up ? 270 : 90);
            boolean isLast = from.column() == Scene.COLUMNS - 1;
            label(arrow, isLast ? x - 14 : x + 14, (start + end) / 2 + 4, isLast ? "end" : "start");
        } else if (to.lane() < from.lane()) {
            int x = center(from);
            path(
                    arrow,
                    "M" + x + " " + top(from) + "V" + (middle(to) + 14) + "q0 -14 14 -14H" + (left(to) - 9),
                    left(to),
                    middle(to),
                    0);
            label(arrow, x + 8, middle(to) - 16, "start");
        } else {
            int x = center(to);
            path(
                    arrow,
                    "M" + right(from) + " " + middle(from) + "H" + (x - 14) + "q14 0 14 14V" + (top(to) - 9),
                    x,
                    top(to),
                    90);
            label(arrow, right(from) + 14, middle(from) - 16, "start");
        }
    }

    private static String style(By by) {
        return switch (by) {
            case CPU -> "cpu";
            case DMA -> "dma";
            case REFERENCE -> "ref";
        };
    }

    private static String colour(By by) {
        return switch (by) {
            case CPU -> "#d1480f";
            case DMA -> "#11805a";
            case REFERENCE -> "#66717d";
        };
    }

    private void path(Arrow arrow, String path, int x, int y, int degrees) {
        svg.append("<path class=\"arrow " + style(arrow.by()) + "\" d=\"" + path + "\"/>\n");
        svg.append("<path fill=\"" + colour(arrow.by()) + "\" d=\"M0 0l-13 -7v14z\" transform=\"translate(" + x + " "
                + y + ") rotate(" + degrees + ")\"/>\n");
    }

    private void label(Arrow arrow, int x, int y, String anchor) {
        String words = switch (arrow.by()) {
            case CPU -> "CPU copies " + told.bytesOf(arrow.hop());
            case DMA -> "DMA " + told.bytesOf(arrow.hop()) + (arrow.hop().later() ? ", later" : "");
            case REFERENCE -> "reference";
        };
        int width = (int) (words.length() * 8.0) + 24;
        int start = switch (anchor) {
            case "middle" -> x - width / 2;
            case "end" -> x - width;
            default -> x;
        };
        dot(start + 9, y - 5, arrow.number(), arrow.by());
        text(start + 24, y, style(arrow.by()) + "text", words);
    }

    private void dot(int x, int y, int number, By by) {
        svg.append("<circle class=\"dot\" cx=\"" + x + "\" cy=\"" + y + "\" r=\"10\" fill=\"" + colour(by) + "\"/>");
        text(x, y + 4, "mid dotnumber", Integer.toString(number));
    }

    /// The figures beside the picture.
    private void side() {
        int y = SCENE_TOP + 26;
        big(SIDE, y, "bigcpu", told.figure("CPU copies"), "CPU copies of a byte");
        big(SIDE + 160, y, "bigdma", told.figure("DMA copies"), "DMA copies of a byte");
        y += 66;
        big(SIDE, y, "", told.figure("system calls"), "system calls");
        big(SIDE + 160, y, "", told.figure("mode switches"), "mode switches");
        y += 52;
        String mark = "";
        for (Figure figure : told.figures()) {
            if (isBig(figure)) {
                continue;
            }
            if (!figure.mark().equals(mark)) {
                mark = figure.mark();
                y += 14;
                text(SIDE, y, "lane", mark.toUpperCase(Locale.ROOT) + (mark.equals("measured") ? ", THIS THREAD" : ""));
                y += 17;
            }
            text(SIDE, y, "small", figure.name());
            text(WIDTH - LEFT, y, "small right", Explanation.marked(figure));
            y += 16;
        }
        bottom = Math.max(bottom, y);
    }

    private static boolean isBig(Figure figure) {
        return switch (figure.name()) {
            case "CPU copies", "DMA copies", "system calls", "mode switches" -> true;
            default -> false;
        };
    }

    private void big(int x, int y, String style, Figure figure, String name) {
        text(x, y, "big " + style, Explanation.marked(figure));
        text(x, y + 18, "small soft", name);
    }

    /// The calls as a wave between the two modes.
    private void ladder() {
        int top = bottom + 22;
        text(LEFT, top, "lane", "THE CALLS, IN ORDER");
        int user = top + 36;
        int kernel = user + 42;
        text(LEFT, user + 4, "small soft", "user mode");
        text(LEFT, kernel + 4, "small soft", "kernel mode");
        svg.append("<line class=\"border\" x1=\"" + (LEFT + 84) + "\" x2=\"" + (WIDTH - LEFT) + "\" y1=\""
                + (user + kernel) / 2 + "\" y2=\"" + (user + kernel) / 2 + "\"/>\n");
        StringBuilder path = new StringBuilder("M" + (LEFT + 84) + " " + user);
        List<String[]> labels = new ArrayList<>();
        double x = LEFT + 96;
        for (Rung rung : told.ladder().within(150).rungs()) {
            List<String> calls = rung.calls().isEmpty()
                    ? List.of(String.format(Locale.ROOT, "%,d more calls", rung.times()))
                    : rung.calls().stream().map(Explanation::text).toList();
            double begin = x;
            for (String call : calls) {
                double width = call.length() * 7.1 + 22;
                path.append(String.format(
                        Locale.ROOT, "H%.0fL%.0f %dH%.0fL%.0f %d", x, x + 5, kernel, x + width, x + width + 5, user));
                labels.add(
                        new String[] {Double.toString(x + 5 + width / 2), Integer.toString(kernel - 7), "mono mid", call
                        });
                x += width + 20;
            }
            if (rung.times() > 1 && !rung.calls().isEmpty()) {
                String times = String.format(Locale.ROOT, "× %,d", rung.times());
                double end = x - 15;
                svg.append(String.format(
                        Locale.ROOT, "<path class=\"bracket\" d=\"M%.0f %dv-6H%.0fv6\"/>%n", begin, user - 6, end));
                labels.add(new String[] {
                    Double.toString((begin + end) / 2), Integer.toString(user - 17), "times mid", times
                });
            }
        }
        path.append("H" + (int) Math.min(WIDTH - LEFT, x + 30));
        svg.append("<path class=\"wave\" d=\"" + path + "\"/>\n");
        labels.forEach(
                label -> text((int) Double.parseDouble(label[0]), Integer.parseInt(label[1]), label[2], label[3]));
        bottom = kernel + 12;
    }

    private void list() {
        int y = bottom + 26;
        svg.append("<line class=\"rule\" x1=\"" + LEFT + "\" x2=\"" + (WIDTH - LEFT) + "\" y1=\"" + (y - 14)
                + "\" y2=\"" + (y - 14) + "\"/>\n");
        int number = 1;
        for (Hop hop : told.hops()) {
            y += 22;
            dot(LEFT + 10, y - 5, number++, hop.by());
            String who = switch (hop.by()) {
                case CPU -> "the processor copies " + told.bytesOf(hop);
                case DMA -> "a device copies " + told.bytesOf(hop) + (hop.later() ? ", later" : "");
                case REFERENCE -> "a reference";
            };
            text(LEFT + 28, y, "", told.way(hop) + ": " + who);
            text(LEFT + 480, y, "soft small", hop.source());
        }
        y += 28;
        text(
                LEFT,
                y,
                "soft small",
                "The planner would begin with " + told.planned() + ".   ~ derived from what the kernel is known to do");
        bottom = y;
    }

    private void text(int x, int y, String style, String text) {
        svg.append("<text x=\"" + x + "\" y=\"" + y + "\"" + (style.isEmpty() ? "" : " class=\"" + style + "\"") + ">"
                + escaped(text) + "</text>\n");
    }
}
