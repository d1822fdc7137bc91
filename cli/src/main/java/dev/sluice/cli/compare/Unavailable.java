package dev.sluice.cli.compare;

import java.io.IOException;
import java.io.Serial;

/// A way can't be gone on this machine between these ends. The message is the reason, for a table.
public final class Unavailable extends IOException {
    @Serial
    private static final long serialVersionUID = 1L;

    public Unavailable(String reason) {
        super(reason);
    }

    public Unavailable(String reason, Throwable cause) {
        super(reason, cause);
    }
}
