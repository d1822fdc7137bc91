package dev.sluice.broker.api;

import java.util.stream.Stream;
import org.apache.kafka.common.acl.AclOperation;

/// What one may do with a group, as clients are told when they ask: everything, for there is no authorizer.
final class GroupOperations {
    /// A bit for each, by its code, as Kafka sets them for a group.
    static final int ALL = Stream.of(
                    AclOperation.READ,
                    AclOperation.DELETE,
                    AclOperation.DESCRIBE,
                    AclOperation.DESCRIBE_CONFIGS,
                    AclOperation.ALTER_CONFIGS)
            .mapToInt(operation -> 1 << operation.code())
            .sum();

    private GroupOperations() {}
}
