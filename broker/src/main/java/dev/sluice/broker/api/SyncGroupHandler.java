package dev.sluice.broker.api;

import dev.sluice.broker.coordinator.Caller;
import dev.sluice.broker.coordinator.Groups;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// SyncGroup (classic protocol): answered when the group's leader has given out the partitions.
final class SyncGroupHandler extends GroupHandler<SyncGroupRequestData, SyncGroupResponseData> {
    private static final short FIRST_WITH_PROTOCOL = 5;

    SyncGroupHandler(Services services) {
        super(ApiKeys.SYNC_GROUP, services);
    }

    @Override
    boolean mayWait() {
        return true;
    }

    @Override
    @Nullable ApiMessage answerAtOnce(SyncGroupRequestData body, short version) {
        boolean nameless =
                version >= FIRST_WITH_PROTOCOL && (body.protocolType() == null || body.protocolName() == null);
        return nameless ? failure(body, version, Errors.INCONSISTENT_GROUP_PROTOCOL) : null;
    }

    @Override
    CompletableFuture<SyncGroupResponseData> ask(Groups groups, Caller caller, SyncGroupRequestData body) {
        return groups.sync(caller, body);
    }

    @Override
    ApiMessage answer(SyncGroupRequestData body, short version, SyncGroupResponseData answered) {
        return answered;
    }

    @Override
    ApiMessage failure(SyncGroupRequestData body, short version, Errors error) {
        return new SyncGroupResponseData().setErrorCode(error.code());
    }
}
