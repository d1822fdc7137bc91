package dev.sluice.broker;

import java.util.Objects;

/// The program's version, from the jar's manifest.
public final class Version {
    /// "development" when it does not run from a jar.
    public static final String CURRENT =
            Objects.requireNonNullElse(Version.class.getPackage().getImplementationVersion(), "development");

    private Version() {}
}
