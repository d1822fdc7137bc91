package dev.sluice.cli;

import dev.sluice.cli.doctor.Doctor;
import dev.sluice.cli.doctor.Finding;
import dev.sluice.cli.doctor.Finding.Grade;
import dev.sluice.io.linux.Kernel;
import java.io.PrintStream;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// `sluice doctor [PATH…]`: what this machine offers, and what to change.
final class DoctorCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(
                this,
                "Tell what this machine offers, and what to change.",
                "Kernel, limits, interfaces, and of each PATH its file system. It asks by trying; on a PATH that can be written to it"
                        + " makes two small files and deletes them.");
        spec.addPositional(PositionalParamSpec.builder()
                .index("0..*")
                .arity("0..*")
                .paramLabel("PATH")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("Folders or files whose file systems are looked at. Default: the current folder.")
                .build());
        spec.addOption(Specs.flag("--json", "Print the findings as JSON."));
        Specs.example(spec, "sluice doctor /var/lib/sluice");
        Specs.exitCodes(
                spec,
                Ordered.map(
                        Map.entry("0", "told; nothing needs to be changed"),
                        Map.entry("1", "told; something should be changed"),
                        Map.entry("2", "bad arguments")));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        List<Path> paths = new ArrayList<>();
        for (String text : parsed.matchedPositionalValue(0, List.of("."))) {
            try {
                paths.add(Path.of(text));
            } catch (InvalidPathException e) {
                throw CommandFailure.usage("'" + text + "' is not a path", e);
            }
        }
        List<Finding> findings = Doctor.examine(new Kernel(), paths);
        if (parsed.matchedOptionValue("--json", false)) {
            printJson(findings, surroundings.out());
        } else {
            TextTable table = new TextTable(4, "what", "found", "", "what to do");
            findings.forEach(finding ->
                    table.row(finding.what(), finding.found(), finding.grade().label(), finding.todo()));
            table.print(surroundings.out());
        }
        return findings.stream().anyMatch(finding -> finding.grade() == Grade.CHANGE) ? ExitCode.FAILURE : ExitCode.OK;
    }

    private static void printJson(List<Finding> findings, PrintStream out) {
        try (JsonGenerator json = new JsonFactory().createGenerator(ObjectWriteContext.empty(), out)) {
            json.writeStartArray();
            for (Finding finding : findings) {
                json.writeStartObject();
                json.writeStringProperty("what", finding.what());
                json.writeStringProperty("found", finding.found());
                json.writeStringProperty("grade", finding.grade().label());
                json.writeStringProperty("todo", finding.todo());
                json.writeEndObject();
            }
            json.writeEndArray();
        }
        out.println();
    }
}
