package dev.sluice.io.transfer;

import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What tests of transfers have in common: a kernel behind a gate that they script, and a look at what was left.
abstract class GatedTransfers {
    @TempDir
    Path folder;

    final ScriptedGate gate = new ScriptedGate();
    final Kernel kernel = new Kernel(gate);
    private Leaks leaks;

    @BeforeEach
    void countWhatIsThere() throws IOException {
        leaks = new Leaks(folder);
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        gate.off();
        leaks.assertNone(kernel);
    }
}
