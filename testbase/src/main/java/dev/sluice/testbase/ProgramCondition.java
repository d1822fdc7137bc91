package dev.sluice.testbase;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/// Skips tests marked [RequiresProgram] whose programs are not all installed, and names those that are missing.
final class ProgramCondition implements ExecutionCondition {
    private final String path;

    /// Called by JUnit.
    ProgramCondition() {
        this(Objects.requireNonNullElse(System.getenv("PATH"), ""));
    }

    /// @param path folders, separated by `:`
    ProgramCondition(String path) {
        this.path = path;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        return context.getElement()
                .flatMap(element -> AnnotationSupport.findAnnotation(element, RequiresProgram.class))
                .map(required -> evaluate(required.value()))
                .orElseGet(() -> ConditionEvaluationResult.enabled("requires no program"));
    }

    ConditionEvaluationResult evaluate(String... programs) {
        List<String> missing = new ArrayList<>();
        for (String program : programs) {
            if (!isInstalled(program)) {
                missing.add(program);
            }
        }
        return missing.isEmpty()
                ? ConditionEvaluationResult.enabled("all programs are installed")
                : ConditionEvaluationResult.disabled("not installed: " + String.join(", ", missing));
    }

    private boolean isInstalled(String program) {
        for (String folder : path.split(File.pathSeparator)) {
            if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
                return true;
            }
        }
        return false;
    }
}
