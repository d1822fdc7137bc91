package dev.sluice.broker.api;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.config.LiveConfig;
import dev.sluice.broker.coordinator.Groups;
import java.time.InstantSource;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What handlers work with.
///
/// @param live      the broker's configuration
/// @param clusterId the cluster's id, as clients are told
/// @param groups    all consumer groups
/// @param sessions  what consumers go on asking for
/// @param clock     ms since the epoch, for timestamps
/// @param offLoop   does work that may block
/// @param aside     does work that takes long and needs no disk, so that it goes on while one stalls
/// @param status    the broker's status as JSON, for one topic or (null) for all
public record Services(
        Catalogue catalogue,
        LiveConfig live,
        String clusterId,
        Groups groups,
        FetchSessions sessions,
        InstantSource clock,
        OffLoop offLoop,
        OffLoop aside,
        Function<@Nullable String, String> status) {
    /// The broker's configuration as it is now.
    BrokerConfig config() {
        return live.now();
    }
}
