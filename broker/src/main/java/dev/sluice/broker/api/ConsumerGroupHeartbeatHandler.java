package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/// ConsumerGroupHeartbeat (consumer protocol, KIP-848): a member joins, lives, is told its partitions, leaves.
final class ConsumerGroupHeartbeatHandler
        extends GroupHandler<ConsumerGroupHeartbeatRequestData, ConsumerGroupHeartbeatResponseData> {
    ConsumerGroupHeartbeatHandler(Services services) {
        super(ApiKeys.CONSUMER_GROUP_HEARTBEAT, services);
    }

    @Override
    CompletableFuture<ConsumerGroupHeartbeatResponseData> ask(
            Groups groups, Caller caller, ConsumerGroupHeartbeatRequestData body) {
        return groups.consumerHeartbeat(caller, body);
    }

    @Override
    ApiMessage answer(
            ConsumerGroupHeartbeatRequestData body, short version, ConsumerGroupHeartbeatResponseData answered) {
        return answered;
    }

    @Override
    ApiMessage failure(ConsumerGroupHeartbeatRequestData body, short version, Errors error) {
        return new ConsumerGroupHeartbeatResponseData().setErrorCode(error.code());
    }
}
