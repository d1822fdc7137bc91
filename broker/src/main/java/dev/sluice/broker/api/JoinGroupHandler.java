package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.apache.kafka.common.requests.JoinGroupResponse;

/// JoinGroup (classic protocol): answered when all members have come, or those that have not are given up.
final class JoinGroupHandler extends GroupHandler<JoinGroupRequestData, JoinGroupResponseData> {
    private static final short FIRST_WITHOUT_PROTOCOL_NAME = 7;

    JoinGroupHandler(Services services) {
        super(ApiKeys.JOIN_GROUP, services);
    }

    /// A member's protocols become keys of a collection, see [Collisions].
    @Override
    BodyScan scan(short version, ByteBuffer body) {
        return new JoinGroupScan(body, version);
    }

    @Override
    boolean mayWait() {
        return true;
    }

    @Override
    CompletableFuture<JoinGroupResponseData> ask(Groups groups, Caller caller, JoinGroupRequestData body) {
        // The constructor fills in what old versions don't have.
        return groups.join(caller, new JoinGroupRequest(body, (short) caller.requestVersion()).data());
    }

    @Override
    ApiMessage answer(JoinGroupRequestData body, short version, JoinGroupResponseData answered) {
        return new JoinGroupResponse(answered, version).data(); // likewise
    }

    @Override
    ApiMessage failure(JoinGroupRequestData body, short version, Errors error) {
        return new JoinGroupResponseData()
                .setErrorCode(error.code())
                .setGenerationId(JoinGroupRequest.UNKNOWN_GENERATION_ID)
                .setProtocolName(version >= FIRST_WITHOUT_PROTOCOL_NAME ? null : "")
                .setMemberId(body.memberId());
    }
}
