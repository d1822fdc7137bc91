package dev.sluice.systemtest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// docs/COMPATIBILITY.md: one row a client and thing that was run with it.
final class CompatibilityReport {
    private record Row(String client, String version, String ran, String result) {}

    private final List<Row> rows = new ArrayList<>();

    void add(String client, String version, String ran, String result) {
        rows.add(new Row(client, version, ran, result));
    }

    void write(Path file) throws IOException {
        StringBuilder page = new StringBuilder("""
                # Compatibility

                This page is written by `bin/campaign compatibility`: each client, unchanged and with its defaults but where the table says
                otherwise, against a broker just started for it. What is received is compared with what was sent, record by record.

                | client | version | what was run | result |
                |---|---|---|---|
                """);
        rows.forEach(row -> page.append("| %s | %s | %s | %s |\n"
                .formatted(cell(row.client()), cell(row.version()), cell(row.ran()), cell(row.result()))));
        Files.writeString(file, page);
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace('\n', ' ').strip();
    }
}
