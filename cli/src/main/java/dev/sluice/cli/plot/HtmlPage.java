package dev.sluice.cli.plot;

import java.util.Locale;

/// What pages with pictures have in common: one file, no script, nothing fetched from anywhere, following the reader's
/// light or dark setting.
public final class HtmlPage {
    private static final String STYLE = """
            :root { color-scheme: light dark; --ink: #1d2530; --soft: #5c6773; --line: #d9dee4; --ground: #fff; --panel: #f6f8fa;
              --ours: #0b6e99; --ours-user: #7cc3de; --jdk: #8a6d3b; --jdk-user: #d9bd8b;
              --netty: #5b4b9e; --netty-user: #b5abdd; --mark: #c2410c; }
            @media (prefers-color-scheme: dark) { :root { --ink: #e6eaef; --soft: #9aa5b1; --line: #333c47; --ground: #14181d;
              --panel: #1c2229; --ours: #3aa3d0; --ours-user: #1f5f7c; --jdk: #c9a468; --jdk-user: #6f5a34;
              --netty: #9d8fe0; --netty-user: #4d4380; --mark: #fb923c; } }
            body { margin: 0 auto; max-width: 1100px; padding: 2rem 1.5rem 4rem; background: var(--ground); color: var(--ink);
              font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
            h1 { font-size: 1.9rem; margin: 0 0 .3rem; } h2 { font-size: 1.35rem; margin: 3rem 0 .2rem; }
            h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
            p { margin: .3rem 0; } .soft { color: var(--soft); } .headline { font-size: 1.1rem; margin: .6rem 0 1rem; }
            dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; background: var(--panel); padding: 1rem 1.2rem;
              border-radius: 8px; font-size: .9rem; } dt { color: var(--soft); } dd { margin: 0; }
            svg { width: 100%; height: auto; display: block; } svg text { fill: var(--ink); font-size: 13px; }
            svg .soft { fill: var(--soft); } svg .small { font-size: 11.5px; } svg .grid { stroke: var(--line); }
            svg .whisker { stroke: var(--ink); stroke-width: 1.4; fill: none; } svg .planned { fill: var(--mark); }
            .ours { fill: var(--ours); } .ours-user { fill: var(--ours-user); } .jdk { fill: var(--jdk); } .jdk-user { fill: var(--jdk-user); }
            .netty { fill: var(--netty); } .netty-user { fill: var(--netty-user); } svg .line { fill: none; stroke-width: 2.2; }
            .ours-line { stroke: var(--ours); } .jdk-line { stroke: var(--jdk); } .netty-line { stroke: var(--netty); }
            svg .leader { stroke: var(--soft); stroke-width: .7; } svg .bold { font-weight: 700; }
            .legend span { display: inline-block; margin-right: 1.4rem; } .legend i { display: inline-block; width: .8rem; height: .8rem;
              margin-right: .4rem; border-radius: 2px; vertical-align: -1px; }
            table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; width: 100%; }
            th, td { text-align: right; padding: .18rem .5rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
            th:first-child, td:first-child { text-align: left; } th { color: var(--soft); font-weight: 600; }
            tr.planned td:first-child::after { content: " ★"; color: var(--mark); }
            .wide { overflow-x: auto; } summary { cursor: pointer; margin: 1rem 0 .4rem; color: var(--soft); }
            """;

    private HtmlPage() {}

    /// The page's beginning, up to its headline; it ends with `</body></html>`.
    public static String head(String title) {
        return """
                <!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <title>%1$s</title><style>%2$s</style></head><body>
                <h1>%1$s</h1>""".formatted(escaped(title), STYLE);
    }

    /// As text and attributes of HTML and SVG have it.
    public static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    public static String figure(String format, double number) {
        return String.format(Locale.ROOT, format, number);
    }
}
