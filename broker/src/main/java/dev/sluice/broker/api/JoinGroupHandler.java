package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.internals.ConsumerProtocol;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.types.SchemaException;
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
        if (body.protocolType().equals(ConsumerProtocol.PROTOCOL_TYPE)
                && !body.protocols().stream().allMatch(JoinGroupHandler::isReadable)) {
            return CompletableFuture.completedFuture(
                    failure(body, (short) caller.requestVersion(), Errors.INCONSISTENT_GROUP_PROTOCOL));
        }
        // The constructor fills in what old versions don't have.
        return groups.join(caller, new JoinGroupRequest(body, (short) caller.requestVersion()).data());
    }

    /// Whether the coordinator can read what a consumer subscribes to. It does so when the last member has come,
    /// takes a SchemaException for a subscription that it does not know, and gives the rebalance up, for good and
    /// for all members, on any other exception.
    private static boolean isReadable(JoinGroupRequestProtocol protocol) {
        try {
            var _ = ConsumerProtocol.deserializeConsumerProtocolSubscription(ByteBuffer.wrap(protocol.metadata()));
            return true;
        } catch (SchemaException e) {
            return true;
        } catch (RuntimeException e) {
            return false;
        }
    }

    @Override
    ApiMessage answer(JoinGroupRequestData body, short version, JoinGroupResponseData answered) {
        return new JoinGroupResponse(answered, version).data(); // likewise
    }

    @Override
    JoinGroupResponseData failure(JoinGroupRequestData body, short version, Errors error) {
        return new JoinGroupResponseData()
                .setErrorCode(error.code())
                .setGenerationId(JoinGroupRequest.UNKNOWN_GENERATION_ID)
                .setProtocolName(version >= FIRST_WITHOUT_PROTOCOL_NAME ? null : "")
                .setMemberId(body.memberId());
    }
}
