package dev.sluice.cli;

import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/// What the help pages of all commands have in common.
final class Specs {
    /// The pages are the same on every terminal and in the documentation.
    static final int WIDTH = 100;

    static final Map<String, String> COMMON_EXIT_CODES = Ordered.map(
            Map.entry("0", "done"),
            Map.entry("1", "failed; standard error says why"),
            Map.entry("2", "bad arguments or configuration; nothing was done"));

    private Specs() {}

    /// A model without any annotation to read: `command` is called when it is chosen.
    ///
    /// @param summary one sentence: the line of the command in the list of commands, and the head of its own page
    /// @param details what else is to be known before using it
    static CommandSpec of(Command command, String summary, String... details) {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(command);
        spec.addOption(help());
        spec.usageMessage()
                .header(summary)
                .description(details)
                .synopsisHeading("%nUsage: ")
                .parameterListHeading("%nParameters:%n")
                .optionListHeading("%nOptions:%n")
                .descriptionHeading(details.length == 0 ? "" : "%n")
                .abbreviateSynopsis(true)
                .sortOptions(false)
                .sortSynopsis(false)
                .width(WIDTH);
        return spec;
    }

    /// An option without a value.
    ///
    /// @param names the shortest first: `-v, --verbose`
    static OptionSpec flag(String names, String description) {
        return OptionSpec.builder(names.split(", "))
                .type(boolean.class)
                .arity("0")
                .description(description)
                .build();
    }

    static OptionSpec text(String name, String label, String description) {
        return option(name, label, description).type(String.class).build();
    }

    static OptionSpec number(String name, String label, String description) {
        return option(name, label, description).type(int.class).build();
    }

    /// An option that may be given several times: a list of texts.
    static OptionSpec repeated(String name, String label, String description) {
        return option(name, label, description)
                .type(List.class)
                .auxiliaryTypes(String.class)
                .build();
    }

    private static OptionSpec.Builder option(String name, String label, String description) {
        return OptionSpec.builder(name).paramLabel(label).description(description);
    }

    /// A text that must be given, at a place of its own.
    static PositionalParamSpec parameter(String index, String label, String description) {
        return PositionalParamSpec.builder()
                .index(index)
                .arity("1")
                .required(true)
                .paramLabel(label)
                .type(String.class)
                .description(description)
                .build();
    }

    static OptionSpec help() {
        return OptionSpec.builder("-h", "--help")
                .usageHelp(true)
                .description("Print this help and exit.")
                .build();
    }

    static void example(CommandSpec spec, String... lines) {
        spec.usageMessage().footerHeading("%nExample:%n");
        String[] indented = new String[lines.length];
        for (int i = 0; i < lines.length; i++) {
            // A percent sign would be read as a format of picocli's.
            indented[i] = "  " + lines[i].replace("%", "%%");
        }
        spec.usageMessage().footer(indented);
    }

    static void exitCodes(CommandSpec spec, Map<String, String> meanings) {
        spec.usageMessage().exitCodeListHeading("%nExit codes:%n");
        spec.usageMessage().exitCodeList(meanings);
    }
}
