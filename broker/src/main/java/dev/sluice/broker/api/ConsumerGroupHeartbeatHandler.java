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
    private static final int JOINING = 0;

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
        if (answered.errorCode() == Errors.UNKNOWN_SERVER_ERROR.code() && body.memberEpoch() == JOINING) {
            // Kafka's coordinator fails on who joins a classic group in the middle of that group's first rebalance,
            // when it has no protocol yet. A moment later it has one: members ask again on this error, on the other
            // they end.
            return answered.setErrorCode(Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
        }
        return answered;
    }

    @Override
    ApiMessage failure(ConsumerGroupHeartbeatRequestData body, short version, Errors error) {
        return new ConsumerGroupHeartbeatResponseData().setErrorCode(error.code());
    }
}
