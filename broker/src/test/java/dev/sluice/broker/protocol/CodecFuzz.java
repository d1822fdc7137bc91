package dev.sluice.broker.protocol;

import dev.sluice.broker.Fuzz;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.protocol.ApiKeys;

/// Requests for our parser and for Kafka's: what must hold is [Parsers].
///
/// ```
///   input:  a request, header and body
/// ```
public final class CodecFuzz implements Fuzz.Target {
    private final Parsers parsers = new Parsers();

    @Override
    public void run(byte[] input) {
        parsers.requireAgreement(input, input.length);
    }

    @Override
    public List<byte[]> seeds() {
        Random random = new Random(7);
        List<byte[]> seeds = new ArrayList<>();
        for (ApiKeys api : List.of(ApiKeys.PRODUCE, ApiKeys.FETCH)) {
            for (int version : KafkaMessages.versions(api)) {
                byte[] bytes;
                do {
                    bytes = KafkaMessages.request(
                            KafkaMessages.header(random, api, version),
                            api == ApiKeys.PRODUCE
                                    ? KafkaMessages.produceRequest(random, version)
                                    : KafkaMessages.fetchRequest(random, version));
                } while (bytes.length < 100 || bytes.length > 1000);
                seeds.add(bytes);
            }
        }
        return seeds;
    }
}
