package dev.sluice.systemtest;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.protocol.Errors;

/// How long the requests of a client took that sends one after the other: a record, and a fetch of it.
///
/// @param sortedNs one for each record
record Latencies(List<Long> sortedNs) {
    private static final int RECORD_BYTES = 1024;

    /// Goes on until it is told to end.
    ///
    /// @throws CampaignFailure when a request is refused, or another offset is answered than the next
    static Latencies measure(int port, int partition, BooleanSupplier goesOn) throws IOException {
        List<Long> all = new ArrayList<>();
        try (CrashClient client = CrashClient.connect(port)) {
            CrashClient.ProducerIdentity producer = client.newProducer();
            byte[] content = new byte[RECORD_BYTES];
            for (int sequence = 0; goesOn.getAsBoolean(); sequence++) {
                long startNs = System.nanoTime();
                CrashClient.Stored stored = client.produce(partition, producer, sequence, List.of(content));
                CampaignFailure.require(stored.error() == Errors.NONE, "a record was refused: " + stored.error());
                CampaignFailure.require(
                        client.fetchBytes(partition, stored.baseOffset()) >= RECORD_BYTES, "a record can't be read");
                all.add(System.nanoTime() - startNs);
            }
        }
        CampaignFailure.require(!all.isEmpty(), "nothing was measured");
        Collections.sort(all);
        return new Latencies(all);
    }

    double ms(double share) {
        return sortedNs.get((int) Math.min(sortedNs.size() - 1, (long) (sortedNs.size() * share))) / 1e6;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT, "p50 %.2f, p99 %.2f, most %.2f ms of %d", ms(0.5), ms(0.99), ms(1), sortedNs.size());
    }
}
