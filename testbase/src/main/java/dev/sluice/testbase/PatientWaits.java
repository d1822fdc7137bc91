package dev.sluice.testbase;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Has every `await()` wait a minute, not ten seconds: a disk that takes ten times as long as the author's is no fault
/// of what is tested, and who waits for what never comes is told a minute later all the same.
///
/// JUnit finds it through `META-INF/services`.
public final class PatientWaits implements BeforeAllCallback {
    /// Called by JUnit.
    public PatientWaits() {}

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultTimeout(Duration.ofMinutes(1));
    }
}
