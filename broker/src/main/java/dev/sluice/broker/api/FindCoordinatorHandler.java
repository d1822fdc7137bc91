package dev.sluice.broker.api;

import dev.sluice.io.linux.ErrnoException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.FindCoordinatorResponseData.Coordinator;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FindCoordinatorRequest.CoordinatorType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// FindCoordinator: it is here. Loads the group coordinator, so that what a client asks next is answered at once.
final class FindCoordinatorHandler extends MessageHandler<FindCoordinatorRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(FindCoordinatorHandler.class);
    private static final short FIRST_WITH_MANY = 4;

    FindCoordinatorHandler(Services services) {
        super(ApiKeys.FIND_COORDINATOR, services);
    }

    @Override
    void handle(FindCoordinatorRequestData body, Exchange exchange) {
        InetSocketAddress here;
        try {
            here = exchange.request().listener().advertisedTo(exchange.request().socket());
        } catch (ErrnoException e) {
            exchange.request().close(e.getMessage());
            return;
        }
        short version = exchange.version();
        if (body.keyType() != CoordinatorType.GROUP.id()) {
            exchange.answer(answer(body, version, here, refusal(body.keyType())));
        } else if (services.groups().isPrepared()) {
            exchange.answer(answer(body, version, here, Errors.NONE));
        } else {
            offLoop(exchange, () -> answer(body, version, here, prepare()));
        }
    }

    private Errors prepare() {
        try {
            services.groups().prepare();
            return Errors.NONE;
        } catch (IOException e) {
            LOG.warn("Groups are not available: {}", e.getMessage());
            return Errors.COORDINATOR_NOT_AVAILABLE;
        }
    }

    /// As InitProducerId refuses a transactional producer: one that is told that its coordinator is not available
    /// would ask for ever.
    private static Errors refusal(byte keyType) {
        return keyType == CoordinatorType.TRANSACTION.id()
                ? Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED
                : Errors.INVALID_REQUEST;
    }

    private FindCoordinatorResponseData answer(
            FindCoordinatorRequestData body, short version, InetSocketAddress here, Errors error) {
        boolean found = error == Errors.NONE;
        int node = found ? services.config().nodeId() : -1;
        String host = found ? here.getHostString() : "";
        int port = found ? here.getPort() : -1;
        FindCoordinatorResponseData answer = new FindCoordinatorResponseData();
        if (version < FIRST_WITH_MANY) {
            return answer.setErrorCode(error.code())
                    .setErrorMessage(error.message())
                    .setNodeId(node)
                    .setHost(host)
                    .setPort(port);
        }
        List<String> keys = body.coordinatorKeys();
        return answer.setCoordinators(keys.stream()
                .map(key -> new Coordinator()
                        .setKey(key)
                        .setErrorCode(error.code())
                        .setErrorMessage(found ? "" : error.message())
                        .setNodeId(node)
                        .setHost(host)
                        .setPort(port))
                .toList());
    }
}
