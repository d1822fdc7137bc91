package dev.sluice.io.shared;

import java.io.IOException;
import java.io.Serial;

/// The other process broke the rules of the pool, by a mistake or on purpose: it offered memory that we can't trust, is
/// another user than we allow, or wrote what can't be into its control memory. The message says which. The connection
/// is closed, the buffers are back, nothing that it wrote was acted upon.
public final class PeerViolationException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    PeerViolationException(String message) {
        super(message);
    }
}
