package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/// Heartbeat (classic protocol): the member lives, and is told whether to join again.
final class HeartbeatHandler extends GroupHandler<HeartbeatRequestData, HeartbeatResponseData> {
    HeartbeatHandler(Services services) {
        super(ApiKeys.HEARTBEAT, services);
    }

    @Override
    CompletableFuture<HeartbeatResponseData> ask(Groups groups, Caller caller, HeartbeatRequestData body) {
        return groups.heartbeat(caller, body);
    }

    @Override
    ApiMessage answer(HeartbeatRequestData body, short version, HeartbeatResponseData answered) {
        return answered;
    }

    @Override
    ApiMessage failure(HeartbeatRequestData body, short version, Errors error) {
        return new HeartbeatResponseData().setErrorCode(error.code());
    }
}
