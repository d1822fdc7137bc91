package dev.sluice.broker.config;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/// The broker's configuration as it is now: what it was started with, and what clients have set since.
///
/// Thread-safe. Reading costs a volatile read; the catalogue, which stores what clients set, makes the changes one at a
/// time. Most of the broker asks for what it needs when it needs it; who can't is told of changes.
public final class LiveConfig {
    private record State(BrokerSettings settings, BrokerConfig config) {}

    private final List<Consumer<BrokerConfig>> followers = new CopyOnWriteArrayList<>();
    private volatile State state;

    public LiveConfig(BrokerConfig started) {
        this.state = new State(new BrokerSettings(Map.of(), Map.of(), started.given()), started);
    }

    /// What holds.
    public BrokerConfig now() {
        return state.config();
    }

    /// Why it holds.
    public BrokerSettings settings() {
        return state.settings();
    }

    /// Tells whether these settings could hold.
    ///
    /// @throws ConfigException when one of the values is not allowed
    public static void check(BrokerSettings settings) {
        var _ = BrokerConfig.load(settings.effective());
    }

    /// Lets these settings hold.
    ///
    /// @throws ConfigException as [#check]
    public void set(BrokerSettings settings) {
        BrokerConfig config = BrokerConfig.load(settings.effective());
        state = new State(settings, config);
        followers.forEach(follower -> follower.accept(config));
    }

    /// Calls `follower` with what holds, now and whenever that changes: on the changing thread, so it must be
    /// quick.
    public void follow(Consumer<BrokerConfig> follower) {
        followers.add(follower);
        follower.accept(now());
    }
}
