package dev.sluice.log;

/// Whose data folder it is, as `meta.properties` tells it.
///
/// @param clusterId `cluster.id`
/// @param nodeId    `node.id`
public record Identity(String clusterId, int nodeId) {
    /// @throws IllegalArgumentException when one of them can't be
    public Identity {
        if (clusterId.isBlank() || !clusterId.equals(clusterId.strip())) {
            throw new IllegalArgumentException("cluster.id is empty or has spaces around it: '" + clusterId + "'");
        }
        if (nodeId < 0) {
            throw new IllegalArgumentException("node.id is negative: " + nodeId);
        }
    }
}
