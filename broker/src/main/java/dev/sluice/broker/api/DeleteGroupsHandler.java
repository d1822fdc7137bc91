package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import dev.sluice.broker.protocol.MalformedRequestException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.DeleteGroupsRequestData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResultCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;

/// DeleteGroups: groups without members, and what they committed.
final class DeleteGroupsHandler extends GroupHandler<DeleteGroupsRequestData, DeletableGroupResultCollection> {
    DeleteGroupsHandler(Services services) {
        super(ApiKeys.DELETE_GROUPS, services);
    }

    @Override
    CompletableFuture<DeletableGroupResultCollection> ask(Groups groups, Caller caller, DeleteGroupsRequestData body) {
        return groups.delete(caller, List.copyOf(requireCheapToAnswer(body)));
    }

    /// Results are kept in a collection by the group's name, see [Collisions]; it grows as they come.
    private static Set<String> requireCheapToAnswer(DeleteGroupsRequestData body) {
        Set<String> names = new LinkedHashSet<>(body.groupsNames());
        Collisions.Hashes hashes = new Collisions.Hashes();
        names.forEach(
                name -> hashes.add(new DeletableGroupResult().setGroupId(name).hashCode()));
        if (!hashes.areCheapToRead()) {
            throw new MalformedRequestException(
                    "DeleteGroups", 0, "more names with equal hash codes than chance makes");
        }
        return names;
    }

    @Override
    ApiMessage answer(DeleteGroupsRequestData body, short version, DeletableGroupResultCollection answered) {
        return new DeleteGroupsResponseData().setResults(answered);
    }

    @Override
    ApiMessage failure(DeleteGroupsRequestData body, short version, Errors error) {
        Set<String> names = requireCheapToAnswer(body);
        DeletableGroupResultCollection results = new DeletableGroupResultCollection(Collisions.room(names.size()));
        names.forEach(
                name -> results.add(new DeletableGroupResult().setGroupId(name).setErrorCode(error.code())));
        return answer(body, version, results);
    }
}
