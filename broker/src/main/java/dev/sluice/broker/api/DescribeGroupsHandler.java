package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.DescribeGroupsRequestData;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.DescribeGroupsResponseData.DescribedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeGroupsRequest;

/// DescribeGroups: the state and the members of groups of the classic protocol.
final class DescribeGroupsHandler extends GroupHandler<DescribeGroupsRequestData, List<DescribedGroup>> {
    DescribeGroupsHandler(Services services) {
        super(ApiKeys.DESCRIBE_GROUPS, services);
    }

    @Override
    CompletableFuture<List<DescribedGroup>> ask(Groups groups, Caller caller, DescribeGroupsRequestData body) {
        return groups.describe(caller, body.groups());
    }

    @Override
    ApiMessage answer(DescribeGroupsRequestData body, short version, List<DescribedGroup> answered) {
        if (body.includeAuthorizedOperations()) {
            answered.stream()
                    .filter(group -> group.errorCode() == Errors.NONE.code())
                    .forEach(group -> group.setAuthorizedOperations(GroupOperations.ALL));
        }
        return new DescribeGroupsResponseData().setGroups(answered);
    }

    @Override
    ApiMessage failure(DescribeGroupsRequestData body, short version, Errors error) {
        return new DescribeGroupsResponseData()
                .setGroups(DescribeGroupsRequest.getErrorDescribedGroupList(body.groups(), error));
    }
}
