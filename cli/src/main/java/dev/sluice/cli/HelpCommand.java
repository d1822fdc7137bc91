package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/// `sluice help [COMMAND]…`: the same pages as `--help`.
final class HelpCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "Show the help of a command.");
        spec.addPositional(PositionalParamSpec.builder()
                .index("0..*")
                .arity("0..*")
                .paramLabel("COMMAND")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .description("The command, for example: topic create.")
                .build());
        Specs.example(spec, "sluice help topic create");
        Specs.exitCodes(spec, Map.of("0", "done", "2", "no such command"));
        return spec;
    }

    @Override
    public int run(ParseResult parsed, Surroundings surroundings) throws CommandFailure {
        CommandLine line = CommandTree.commandLine();
        for (String word : parsed.matchedPositionalValue(0, List.<String>of())) {
            CommandLine next = line.getSubcommands().get(word);
            if (next == null) {
                throw CommandFailure.usage("there is no command '" + word + "' of "
                        + line.getCommandSpec().qualifiedName() + "; sluice help lists them");
            }
            line = next;
        }
        CommandTree.printHelp(line, surroundings.out());
        return ExitCode.OK;
    }
}
