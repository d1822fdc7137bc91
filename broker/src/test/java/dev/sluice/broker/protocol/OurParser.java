package dev.sluice.broker.protocol;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Our parsers, taking the bytes of requests. Lets everything through but [MalformedRequestException].
final class OurParser {
    private final NameCache names = new NameCache(256);
    private final RequestHead head = new RequestHead();
    private final ProduceRequest produce = new ProduceRequest(names);
    private final FetchPlan plan = new FetchPlan();

    /// Parses only, so that what it allocates can be measured.
    ///
    /// @return null when it was understood
    @Nullable MalformedRequestException parse(WireReader reader) {
        try {
            head.parse(reader);
            if (head.apiKey() == ApiHeaders.PRODUCE) {
                produce.wrap(reader, head.apiVersion());
            } else if (head.apiKey() == ApiHeaders.FETCH) {
                FetchRequest.parse(reader, head.apiVersion(), names, plan);
            }
            return null;
        } catch (MalformedRequestException e) {
            return e;
        }
    }

    /// Says what the last [#parse] understood.
    Outcome describe(WireReader reader, @Nullable MalformedRequestException refusal) {
        if (refusal != null) {
            return new Outcome.Refused(String.valueOf(refusal.getMessage()));
        }
        var lines = new ArrayList<>(List.of(describeHead()));
        lines.addAll(
                switch (head.apiKey()) {
                    case ApiHeaders.PRODUCE -> Descriptions.of(produce, reader.memory());
                    case ApiHeaders.FETCH -> Descriptions.of(plan);
                    default -> List.of();
                });
        return new Outcome.Understood(lines);
    }

    /// Parses a Produce request of which the bytes behind the header come one by one.
    Outcome parseAsReceived(WireReader reader) {
        var lines = new ArrayList<String>();
        try {
            head.parse(reader);
            lines.add(describeHead());
            produce.begin(reader, head.apiVersion());
            long received = reader.position();
            while (true) {
                switch (produce.advance(received)) {
                    case HEAD -> lines.add(Descriptions.head(produce));
                    case TOPIC -> lines.add(Descriptions.topic(produce));
                    case PARTITION -> lines.add(Descriptions.partition(produce, reader.memory()));
                    case STARVED -> received++;
                    case END -> {
                        return new Outcome.Understood(lines);
                    }
                }
            }
        } catch (MalformedRequestException e) {
            return new Outcome.Refused(String.valueOf(e.getMessage()));
        }
    }

    private String describeHead() {
        return head.apiKey() + " " + head.apiVersion() + " " + head.correlationId() + " " + head.headerVersion() + " "
                + head.clientId(names);
    }
}
