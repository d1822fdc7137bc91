package dev.sluice.cli.plot;

/// Numbers at the edges of pictures.
public final class Axis {
    private static final double[] STEPS = {1, 1.5, 2, 3, 4, 5, 6, 8, 10};

    private Axis() {}

    /// The next number with one or two digits; 1 for nothing.
    public static double roundUp(double number) {
        if (number <= 0) {
            return 1;
        }
        double power = Math.pow(10, Math.floor(Math.log10(number)));
        for (double step : STEPS) {
            if (number <= step * power * (1 + 1e-9)) {
                return step * power;
            }
        }
        return 10 * power;
    }

    public static String label(double number) {
        String text = HtmlPage.figure(number < 0.1 ? "%.3f" : "%.2f", number);
        return text.replaceFirst("\\.?0+$", "").isEmpty()
                ? "0"
                : text.replaceFirst("(\\.\\d*?)0+$", "$1").replaceFirst("\\.$", "");
    }
}
