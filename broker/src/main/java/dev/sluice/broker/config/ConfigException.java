package dev.sluice.broker.config;

import java.io.Serial;

/// A configuration key or value that can't be used. The message is one line: which key, what is wrong, what is allowed.
public final class ConfigException extends IllegalArgumentException {
    @Serial
    private static final long serialVersionUID = 1L;

    public ConfigException(String message) {
        super(message);
    }
}
