package dev.sluice.testbase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Events;

class ProgramConditionTest {
    @TempDir
    private Path folder;

    @Test
    void runsATestWhoseProgramsAreInAFolderOfThePath() throws IOException {
        program("here", "rwxr-xr-x");

        assertThat(onPath("/nonexistent:" + folder).evaluate("here").isDisabled())
                .isFalse();
    }

    @Test
    void skipsATestAndNamesEveryMissingProgram() throws IOException {
        program("here", "rwxr-xr-x");

        ConditionEvaluationResult result = onPath(folder.toString()).evaluate("here", "not-here", "nor-here");

        assertThat(result.isDisabled()).isTrue();
        assertThat(result.getReason()).contains("not installed: not-here, nor-here");
    }

    @Test
    void takesAFileThatCannotBeExecutedForMissing() throws IOException {
        program("text", "rw-r--r--");

        assertThat(onPath(folder.toString()).evaluate("text").isDisabled()).isTrue();
    }

    @Test
    void readsTheAnnotationOfAMethodAndOfAClass() {
        Events tests = run(OneMethodNeedsMuch.class);

        assertThat(tests.skipped().count()).isEqualTo(1);
        assertThat(tests.succeeded().count()).isEqualTo(1);
        assertThat(run(ClassNeedsMuch.class).started().count()).isZero();
    }

    private static Events run(Class<?> test) {
        return EngineTestKit.engine("junit-jupiter")
                .selectors(selectClass(test))
                .execute()
                .testEvents();
    }

    private static ProgramCondition onPath(String path) {
        return new ProgramCondition(path);
    }

    private void program(String name, String permissions) throws IOException {
        Files.createFile(
                folder.resolve(name),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions)));
    }

    static class OneMethodNeedsMuch {
        @Test
        @RequiresProgram("no-such-program-anywhere")
        void skipped() {}

        @Test
        void run() {}
    }

    @RequiresProgram("no-such-program-anywhere")
    static class ClassNeedsMuch {
        @Test
        void skipped() {}
    }
}
