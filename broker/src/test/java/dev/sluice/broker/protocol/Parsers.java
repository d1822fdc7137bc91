package dev.sluice.broker.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Our parsers beside Kafka's. What Kafka refuses, we refuse; what it takes, we take with the same meaning, but for the
/// three cases that the package's description lists. And what we allocate goes with the bytes received, whatever they
/// say.
final class Parsers {
    private static final List<String> JUSTIFIED =
            List.of("a varint of more than 31 bits", "not UTF-8", "its tag's size says");

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final OurParser ours = new OurParser();

    @Nullable MalformedRequestException parse(WireReader reader) {
        return ours.parse(reader);
    }

    /// @param length how many of the bytes there are
    void requireAgreement(byte[] bytes, int length) {
        WireReader reader = KafkaMessages.reader(bytes, 0, length);
        requireLittleMemory(bytes, length);
        MalformedRequestException refusal = ours.parse(reader);
        Outcome kafkas = KafkaParser.parse(bytes, length);
        requireAgreement(ours.describe(reader, refusal), kafkas);
        if (length > 2 && bytes[0] == 0 && bytes[1] == ApiHeaders.PRODUCE) {
            requireAgreement(ours.parseAsReceived(KafkaMessages.reader(bytes, 0, length)), kafkas);
        }
    }

    /// Strings of names and arrays of a plan go with the bytes received; the rest is an exception with its trace.
    private void requireLittleMemory(byte[] bytes, int length) {
        long most = 65536 + 16L * length;
        long allocated = allocatedBy(bytes, length);
        if (allocated > most) {
            allocated = allocatedBy(bytes, length); // the first time, classes may have been loaded
        }
        assertThat(allocated).as("bytes allocated for %d received", length).isLessThanOrEqualTo(most);
    }

    private long allocatedBy(byte[] bytes, int length) {
        WireReader reader = KafkaMessages.reader(bytes, 0, length);
        long before = THREADS.getCurrentThreadAllocatedBytes();
        var _ = ours.parse(reader);
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }

    private static void requireAgreement(Outcome ours, Outcome kafkas) {
        switch (ours) {
            case Outcome.Understood understood -> assertThat(understood).isEqualTo(kafkas);
            case Outcome.Refused refused -> {
                if (kafkas instanceof Outcome.Understood) {
                    assertThat(JUSTIFIED)
                            .as("Kafka understands what we refuse: %s", refused.reason())
                            .anyMatch(reason -> refused.reason().contains(reason));
                }
            }
        }
    }
}
