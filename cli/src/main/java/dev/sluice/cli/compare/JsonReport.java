package dev.sluice.cli.compare;

import dev.sluice.io.transfer.Figure;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// A comparison for programs. Every figure has its unit in its name or beside it, and how it came to be known.
///
/// ```
/// { "version": 1, "setting": {NAME: TEXT…}, "plans": {DIRECTION: TEXT…},
///   "rows": [ { "direction", "by", "method", "pieceBytes" (0: none), "state", "cold", "swept", "planned",
/// "unavailable" (text or absent),
///     "runs", "bytesPerRun", "remark",
///     "gigabytesPerSecond": {"median", "least", "most", "mark"}, "cpuSecondsPerGib": …, "callsPerMib": …, …
///     "cpuCopiesPerByte": {"value", "mark", "source"}, "dmaCopiesPerByte": … } … ] }
/// ```
public final class JsonReport {
    private static final String MEASURED = "measured";
    private static final String GETRUSAGE = "getrusage(RUSAGE_SELF)";

    private final JsonGenerator json;

    private JsonReport(JsonGenerator json) {
        this.json = json;
    }

    /// Writes the file, over what may be there.
    public static void write(Report report, Path file) throws IOException {
        try (OutputStream out = Files.newOutputStream(file);
                JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), out)) {
            new JsonReport(json).report(report);
        } catch (JacksonException e) {
            throw new IOException(e.getOriginalMessage(), e);
        }
    }

    private void report(Report report) {
        json.writeStartObject();
        json.writeNumberProperty("version", 1);
        json.writeObjectPropertyStart("setting");
        report.setting().forEach(json::writeStringProperty);
        json.writeEndObject();
        json.writeObjectPropertyStart("plans");
        report.plans().forEach((direction, plan) -> json.writeStringProperty(direction.name(), plan));
        json.writeEndObject();
        json.writeArrayPropertyStart("rows");
        report.rows().forEach(this::row);
        json.writeEndArray();
        json.writeEndObject();
    }

    private void row(Row row) {
        json.writeStartObject();
        json.writeStringProperty("direction", row.direction().name());
        json.writeStringProperty("by", row.family());
        json.writeStringProperty("method", row.name());
        json.writeNumberProperty("pieceBytes", row.pieceBytes());
        json.writeStringProperty("state", row.state());
        json.writeBooleanProperty("cold", row.cold());
        json.writeBooleanProperty("swept", row.swept());
        json.writeBooleanProperty("planned", row.planned());
        row.unavailable().ifPresent(why -> json.writeStringProperty("unavailable", why));
        json.writeNumberProperty("runs", row.runs());
        if (row.runs() > 0) {
            figures(row);
        }
        json.writeEndObject();
    }

    private void figures(Row row) {
        json.writeNumberProperty("bytesPerRun", row.bytesPerRun());
        json.writeStringProperty("remark", row.remark());
        spread("gigabytesPerSecond", row.gigabytesPerSecond(), MEASURED, "System.nanoTime");
        spread("cpuSecondsPerGib", row.cpuSecondsPerGib(), MEASURED, GETRUSAGE);
        json.writeNumberProperty("userSecondsPerGib", row.userSecondsPerGib());
        json.writeNumberProperty("systemSecondsPerGib", row.systemSecondsPerGib());
        if (row.hasOtherSide()) {
            spread("otherSideCpuSecondsPerGib", row.peerCpuSecondsPerGib(), MEASURED, GETRUSAGE);
        }
        spread("deviceReadPerByte", row.deviceReadPerByte(), MEASURED, "/proc/self/io read_bytes");
        spread("callsPerMib", row.callsPerMib(), row.calls().mark(), row.calls().source());
        spread(
                "modeSwitchesPerMib",
                row.modeSwitchesPerMib(),
                row.modeSwitches().mark(),
                row.modeSwitches().source());
        spread("contextSwitchesPerMib", row.contextSwitchesPerMib(), MEASURED, GETRUSAGE);
        spread("interruptsPerMib", row.interruptsPerMib(), MEASURED, "/proc/interrupts, of the machine");
        spread("softirqsPerMib", row.softirqsPerMib(), MEASURED, "/proc/softirqs, of the machine");
        spread("faultsPerMib", row.faultsPerMib(), MEASURED, GETRUSAGE);
        spread("majorFaultsPerMib", row.majorFaultsPerMib(), MEASURED, GETRUSAGE);
        figure("cpuCopiesPerByte", row.cpuCopies());
        figure("dmaCopiesPerByte", row.dmaCopies());
    }

    private void spread(String name, Row.Spread spread, String mark, String source) {
        json.writeObjectPropertyStart(name);
        json.writeNumberProperty("median", spread.median());
        json.writeNumberProperty("least", spread.least());
        json.writeNumberProperty("most", spread.most());
        json.writeStringProperty("mark", mark);
        json.writeStringProperty("source", source);
        json.writeEndObject();
    }

    private void figure(String name, Figure figure) {
        json.writeObjectPropertyStart(name);
        json.writeNumberProperty("value", figure.number());
        json.writeStringProperty("mark", figure.mark());
        json.writeStringProperty("source", figure.source());
        json.writeEndObject();
    }
}
