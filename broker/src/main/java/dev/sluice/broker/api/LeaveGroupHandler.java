package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.LeaveGroupResponse;

/// LeaveGroup (classic protocol): one member, or from version 3 on several.
final class LeaveGroupHandler extends GroupHandler<LeaveGroupRequestData, LeaveGroupResponseData> {
    private static final short FIRST_WITH_MANY = 3;

    LeaveGroupHandler(Services services) {
        super(ApiKeys.LEAVE_GROUP, services);
    }

    @Override
    CompletableFuture<LeaveGroupResponseData> ask(Groups groups, Caller caller, LeaveGroupRequestData body) {
        return groups.leave(
                caller,
                caller.requestVersion() >= FIRST_WITH_MANY
                        ? body
                        : new LeaveGroupRequestData()
                                .setGroupId(body.groupId())
                                .setMembers(List.of(new MemberIdentity().setMemberId(body.memberId()))));
    }

    @Override
    ApiMessage answer(LeaveGroupRequestData body, short version, LeaveGroupResponseData answered) {
        return new LeaveGroupResponse(answered, version).data();
    }

    @Override
    ApiMessage failure(LeaveGroupRequestData body, short version, Errors error) {
        return new LeaveGroupResponseData().setErrorCode(error.code());
    }
}
