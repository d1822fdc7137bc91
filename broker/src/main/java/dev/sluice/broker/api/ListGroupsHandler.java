package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// ListGroups, of all states or those that are asked for.
final class ListGroupsHandler extends GroupHandler<ListGroupsRequestData, ListGroupsResponseData> {
    ListGroupsHandler(Services services) {
        super(ApiKeys.LIST_GROUPS, services);
    }

    /// Whoever only looks around should not make a topic.
    @Override
    @Nullable ApiMessage answerAtOnce(ListGroupsRequestData body, short version) {
        return services.groups().mayExist() ? null : new ListGroupsResponseData();
    }

    @Override
    CompletableFuture<ListGroupsResponseData> ask(Groups groups, Caller caller, ListGroupsRequestData body) {
        return groups.list(caller, body);
    }

    @Override
    ApiMessage answer(ListGroupsRequestData body, short version, ListGroupsResponseData answered) {
        return answered;
    }

    @Override
    ApiMessage failure(ListGroupsRequestData body, short version, Errors error) {
        return new ListGroupsResponseData().setErrorCode(error.code());
    }
}
