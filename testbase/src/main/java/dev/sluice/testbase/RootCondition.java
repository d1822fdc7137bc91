package dev.sluice.testbase;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Skips tests tagged `root` when the process is not root, and says so in the report.
///
/// JUnit finds it through `META-INF/services`; a test only writes `@Tag("root")`.
public final class RootCondition implements ExecutionCondition {
    static final String TAG = "root";

    private final long effectiveUid;

    /// Called by JUnit: takes the user from `/proc/self/status`.
    public RootCondition() {
        this(effectiveUidOfThisProcess());
    }

    RootCondition(long effectiveUid) {
        this.effectiveUid = effectiveUid;
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (!context.getTags().contains(TAG)) {
            return ConditionEvaluationResult.enabled("not tagged " + TAG);
        }
        if (effectiveUid == 0) {
            return ConditionEvaluationResult.enabled("running as root");
        }
        return ConditionEvaluationResult.disabled("needs root; running as uid " + effectiveUid);
    }

    /// The second number of the `Uid:` line is the effective user id: proc_pid_status(5).
    private static long effectiveUidOfThisProcess() {
        Path status = Path.of("/proc/self/status");
        try {
            for (String line : Files.readAllLines(status)) {
                if (line.startsWith("Uid:")) {
                    return Long.parseLong(line.split("\\s+")[2]);
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + status + " to learn whether this is root", e);
        }
        throw new IllegalStateException(status + " has no line Uid:");
    }
}
