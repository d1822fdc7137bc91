package dev.sluice.broker.protocol;

import java.util.List;

/// What becomes of a request's bytes, header and body: what was understood, or a refusal.
sealed interface Outcome {
    record Understood(List<String> lines) implements Outcome {}

    /// @param reason as the parser worded it
    record Refused(String reason) implements Outcome {}
}
