package dev.sluice.io.shared;

import java.io.IOException;
import java.io.Serial;

/// The other process has ended or has closed its end of the pool. Every day's news: the buffers it had are back.
public final class PeerGoneException extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    PeerGoneException(String message) {
        super(message);
    }
}
