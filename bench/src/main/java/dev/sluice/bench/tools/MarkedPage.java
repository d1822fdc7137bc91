package dev.sluice.bench.tools;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A page of documentation whose figures a benchmark writes: whatever stands between `<!-- measured NAME -->` and the
/// next `<!-- /measured -->` is the benchmark's, the rest is its author's.
public final class MarkedPage {
    private MarkedPage() {}

    /// Puts `text` where the page has the mark of this name.
    ///
    /// @throws IOException when it has none
    public static void write(Path page, String name, String text) throws IOException {
        Files.writeString(page, filled(Files.readString(page), name, text));
    }

    static String filled(String page, String name, String text) throws IOException {
        Matcher mark = Pattern.compile(
                        "(<!-- measured " + Pattern.quote(name) + " -->\n).*?(<!-- /measured -->)", Pattern.DOTALL)
                .matcher(page);
        if (!mark.find()) {
            throw new IOException("the page has no <!-- measured " + name + " --> … <!-- /measured -->");
        }
        return page.substring(0, mark.end(1)) + "\n" + text.strip() + "\n\n" + page.substring(mark.start(2));
    }

    /// `Measured 2026-11-22, 2 × AMD EPYC, Linux 6.18.44, JDK 25.0.3`: stands below every table.
    public static String circumstances() throws IOException {
        String processor = Files.readString(Path.of("/proc/cpuinfo"))
                .lines()
                .filter(line -> line.startsWith("model name"))
                .findFirst()
                .map(line -> line.substring(line.indexOf(':') + 2))
                .orElse(System.getProperty("os.arch"));
        return "Measured " + LocalDate.now(ZoneOffset.UTC) + ", "
                + Runtime.getRuntime().availableProcessors() + " × "
                + processor + ", Linux " + System.getProperty("os.version") + ", JDK "
                + System.getProperty("java.version");
    }
}
