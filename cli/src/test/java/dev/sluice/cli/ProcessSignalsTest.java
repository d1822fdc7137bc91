package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With SIGTERM: whoever starts the tests in the background hands SIGINT down as ignored, and then it stays so.
class ProcessSignalsTest {
    @TempDir
    Path folder;

    @Test
    void theFirstRequestIsTheCommandsAndTheSecondEndsTheProcess() throws Exception {
        try (ChildJvm child = ChildJvm.start(folder.resolve("out"), List.of(), NeverEnds.class, "true")) {
            child.awaitOutput(text -> text.contains("ready"));
            child.terminate();
            child.awaitOutput(text -> text.contains("asked with 143"));
            child.terminate();
            assertThat(child.awaitExit()).isEqualTo(143);
        }
    }

    @Test
    void aCommandThatCannotEndByItselfIsEnded() throws Exception {
        try (ChildJvm child = ChildJvm.start(folder.resolve("out"), List.of(), NeverEnds.class, "false")) {
            child.awaitOutput(text -> text.contains("ready"));
            child.terminate();
            assertThat(child.awaitExit()).isEqualTo(143);
        }
    }

    /// Claims to end when asked to, if the first argument says so, and never does.
    static final class NeverEnds {
        private NeverEnds() {}

        public static void main(String[] arguments) throws InterruptedException {
            new ProcessSignals().onStop(exitCode -> {
                System.out.println("asked with " + exitCode);
                return Boolean.parseBoolean(arguments[0]);
            });
            System.out.println("ready");
            new CountDownLatch(1).await();
        }
    }
}
