package dev.sluice.bench.broker;

import dev.sluice.bench.tools.Tools;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A curve as an SVG, by gnuplot.
final class GrowthPlot {
    private static final int COLUMNS_A_SUBJECT = 3;

    private GrowthPlot() {}

    /// Draws what `data` holds; says so where there is no gnuplot.
    static void draw(Path folder, Curve curve, Path data, List<Subject> subjects)
            throws IOException, InterruptedException {
        if (!Tools.isInstalled("gnuplot")) {
            System.out.println("No picture: gnuplot is not installed (Debian: apt install gnuplot-nox)");
            return;
        }
        Path picture = folder.resolve(curve.label() + ".svg");
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < subjects.size(); i++) {
            String label = subjects.get(i).label;
            int column = 2 + COLUMNS_A_SUBJECT * i;
            lines.add("'%s' using ($1+%d):%d with linespoints lw 2 title '%s, µs a request'"
                    .formatted(data, shift(curve), column, label));
            lines.add("'%s' using ($1+%d):%d axes x1y2 with linespoints dt 2 lw 2 title '%s, s/GiB'"
                    .formatted(data, shift(curve), column + 1, label));
        }
        String script = """
                set terminal svg size 900,420 dynamic background '#ffffff' font 'sans-serif,13'
                set output '%s'
                set logscale xyy2
                set xlabel '%s'
                set ylabel 'CPU, µs a request'
                set y2label 'CPU, s/GiB'
                set ytics nomirror
                set y2tics
                set grid
                set key top center horizontal outside
                plot %s
                """.formatted(picture, curve.axis, String.join(", ", lines));
        Tools.Ended ended = Tools.run(List.of("gnuplot", "-e", script.replace("\n", ";")));
        if (ended.exitCode() != 0) {
            throw new IOException("gnuplot can't draw " + curve.label() + ": " + ended.output());
        }
    }

    /// So that a first point of 0 has its place on a scale of powers.
    private static int shift(Curve curve) {
        return curve.points.getFirst() == 0 ? 1 : 0;
    }
}
