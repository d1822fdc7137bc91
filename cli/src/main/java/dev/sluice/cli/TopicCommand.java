package dev.sluice.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/// `sluice topic …`: the group of the commands on topics.
final class TopicCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = Specs.of(this, "Create, list, describe, change and delete topics.");
        spec.usageMessage().synopsisSubcommandLabel("COMMAND").commandListHeading("%nCommands:%n");
        spec.addSubcommand("create", new TopicCreateCommand().spec());
        spec.addSubcommand("list", new TopicListCommand().spec());
        spec.addSubcommand("describe", new TopicDescribeCommand().spec());
        spec.addSubcommand("alter", new TopicAlterCommand().spec());
        spec.addSubcommand("delete", new TopicDeleteCommand().spec());
        Specs.example(spec, "sluice topic create logs --partitions 4");
        Specs.exitCodes(spec, Specs.COMMON_EXIT_CODES);
        return spec;
    }

    /// The group alone does nothing: it shows what there is.
    @Override
    public int run(ParseResult parsed, Surroundings surroundings) {
        CommandTree.printHelp(parsed.commandSpec().commandLine(), surroundings.err());
        return ExitCode.USAGE;
    }
}
