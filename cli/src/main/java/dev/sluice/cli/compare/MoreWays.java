package dev.sluice.cli.compare;

import java.util.List;

/// Ways of others, found on the class path as a service ([java.util.ServiceLoader]): so that neither the command nor
/// the broker depends on what they need. What the library itself gains belongs into [SluiceWay] or [DiskWay].
public interface MoreWays {
    /// The ways of a direction; none where there are none.
    List<Way> of(Direction direction);
}
