package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.ConsumerGroupDescribeRequestData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ConsumerGroupDescribeRequest;

/// ConsumerGroupDescribe: the state and the members of groups of the consumer protocol (KIP-848).
final class ConsumerGroupDescribeHandler extends GroupHandler<ConsumerGroupDescribeRequestData, List<DescribedGroup>> {
    ConsumerGroupDescribeHandler(Services services) {
        super(ApiKeys.CONSUMER_GROUP_DESCRIBE, services);
    }

    @Override
    CompletableFuture<List<DescribedGroup>> ask(Groups groups, Caller caller, ConsumerGroupDescribeRequestData body) {
        return groups.describeConsumerGroups(caller, body.groupIds());
    }

    @Override
    ApiMessage answer(ConsumerGroupDescribeRequestData body, short version, List<DescribedGroup> answered) {
        if (body.includeAuthorizedOperations()) {
            answered.stream()
                    .filter(group -> group.errorCode() == Errors.NONE.code())
                    .forEach(group -> group.setAuthorizedOperations(GroupOperations.ALL));
        }
        return new ConsumerGroupDescribeResponseData().setGroups(answered);
    }

    @Override
    ApiMessage failure(ConsumerGroupDescribeRequestData body, short version, Errors error) {
        return new ConsumerGroupDescribeResponseData()
                .setGroups(ConsumerGroupDescribeRequest.getErrorDescribedGroupList(body.groupIds(), error));
    }
}
