package dev.sluice.systemtest;

import dev.sluice.systemtest.Processes.Ended;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Follows docs/METHODS.md as a reader does who has just cloned the repository: types every command, in order, and
/// holds what is printed against what the page shows.
final class MethodsCampaign {
    private static final Pattern BLOCK = Pattern.compile("(?m)^```console\n(.*?)^```$", Pattern.DOTALL);
    private static final Duration BOUND = Duration.ofMinutes(9);

    /// What the first command of a fresh clone says besides.
    private static final Predicate<String> IS_BUILDING = line -> line.startsWith("Building Sluice (");

    private MethodsCampaign() {}

    /// A command of the page.
    ///
    /// @param typed  in the root of a clone
    /// @param prints what the page shows under it
    record Step(String typed, List<String> prints) {}

    /// @param arguments the root of the source tree, whose last commit is cloned; a folder that doesn't exist yet
    static void main(String[] arguments) throws IOException {
        Path root = Path.of(arguments[0]);
        Path clone = Path.of(arguments[1]).toAbsolutePath();
        Processes.run(BOUND, List.of("git", "clone", "-q", root.toString(), clone.toString()))
                .orThrow("git clone");
        int wrong = 0;
        for (Step step : steps(clone.resolve("docs/METHODS.md"))) {
            Optional<String> complaint = run(clone, step);
            System.out.println((complaint.isEmpty() ? "as shown  " : "OTHERWISE ")
                    + step.typed()
                    + complaint.map(text -> "\n" + text).orElse(""));
            wrong += complaint.isEmpty() ? 0 : 1;
        }
        System.out.println(
                wrong == 0 ? "every command prints what the page says" : wrong + " commands print otherwise");
        System.exit(wrong == 0 ? 0 : 1);
    }

    static List<Step> steps(Path page) throws IOException {
        List<Step> steps = new ArrayList<>();
        Matcher block = BLOCK.matcher(Files.readString(page));
        while (block.find()) {
            for (String line : block.group(1).lines().toList()) {
                if (line.startsWith("$ ")) {
                    steps.add(new Step(line.substring(2), new ArrayList<>()));
                } else {
                    steps.getLast().prints().add(line);
                }
            }
        }
        return steps;
    }

    /// Types one command.
    ///
    /// @return what was otherwise than the page says, if anything
    static Optional<String> run(Path folder, Step step) {
        Ended ended = Processes.run(
                BOUND, List.of("sh", "-c", "cd \"$1\" && eval \"$2\"", "sh", folder.toString(), step.typed()));
        List<String> printed =
                ended.output().lines().filter(IS_BUILDING.negate()).toList();
        boolean isExpectedEnd = ended.exitCode() == 0
                || (ended.exitCode() == 1 && step.typed().contains(" doctor ")) // it found something to change
                || (ended.exitCode() == 124 && step.typed().startsWith("timeout ")); // it was ended as it says
        if (!isExpectedEnd) {
            return Optional.of("exit code " + ended.exitCode() + ":\n" + ended.output());
        }
        return Shape.missing(step.prints(), printed)
                .map(line -> "not met: " + line + "\nit printed:\n" + String.join("\n", printed));
    }
}
