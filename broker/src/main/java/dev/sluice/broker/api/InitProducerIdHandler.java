package dev.sluice.broker.api;

import java.io.IOException;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// InitProducerId: a fresh id for an idempotent producer. Transactional producers are refused.
final class InitProducerIdHandler extends MessageHandler<InitProducerIdRequestData> {
    private static final Logger LOG = LoggerFactory.getLogger(InitProducerIdHandler.class);

    InitProducerIdHandler(Services services) {
        super(ApiKeys.INIT_PRODUCER_ID, services);
    }

    @Override
    void handle(InitProducerIdRequestData body, Exchange exchange) {
        if (body.transactionalId() != null) {
            exchange.answer(refusal(
                    body.transactionalId().isEmpty()
                            ? Errors.INVALID_REQUEST
                            : Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
            return;
        }
        offLoop(exchange, this::fresh);
    }

    private ApiMessage fresh() {
        try {
            return new InitProducerIdResponseData()
                    .setProducerId(services.catalogue().nextProducerId())
                    .setProducerEpoch((short) 0);
        } catch (IOException e) {
            // The client asks again, when the disk may have room. Not COORDINATOR_NOT_AVAILABLE: it would look for the
            // coordinator then, find that there is no such API here, and give up.
            LOG.error("No producer ids could be reserved", e);
            return refusal(Errors.COORDINATOR_LOAD_IN_PROGRESS);
        }
    }

    private static InitProducerIdResponseData refusal(Errors error) {
        return new InitProducerIdResponseData()
                .setErrorCode(error.code())
                .setProducerId(-1)
                .setProducerEpoch((short) -1);
    }
}
