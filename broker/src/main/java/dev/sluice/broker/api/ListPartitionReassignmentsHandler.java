package dev.sluice.broker.api;

import org.apache.kafka.common.message.ListPartitionReassignmentsRequestData;
import org.apache.kafka.common.message.ListPartitionReassignmentsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;

/// ListPartitionReassignments: on one node no partition ever moves.
final class ListPartitionReassignmentsHandler extends MessageHandler<ListPartitionReassignmentsRequestData> {
    ListPartitionReassignmentsHandler(Services services) {
        super(ApiKeys.LIST_PARTITION_REASSIGNMENTS, services);
    }

    @Override
    void handle(ListPartitionReassignmentsRequestData body, Exchange exchange) {
        exchange.answer(new ListPartitionReassignmentsResponseData());
    }
}
