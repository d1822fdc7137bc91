package dev.sluice.broker.config;

import java.util.Set;

/// How local readers are taken.
///
/// @param socket         where they connect, relative to the data folder; empty for nowhere
/// @param isAsked        whether the path was set: then a broker that can't listen there does not start
/// @param users          those that may connect beside our own and root
/// @param groups         likewise
/// @param maxConnections at once
public record LocalConfig(String socket, boolean isAsked, Set<Integer> users, Set<Integer> groups, int maxConnections) {
    /// Whether others than our own user and root may connect.
    public boolean isShared() {
        return !users.isEmpty() || !groups.isEmpty();
    }
}
