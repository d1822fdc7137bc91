package dev.sluice.log;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;

/// The log's contract once more, with the direct engine under it: the same tests as with pwrite.
///
/// Left out is what asks for pwrite's own calls, what counts descriptors, and what has Kafka read a segment that is
/// being appended to.
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class OnDirectEngineTest {
    @BeforeAll
    static void direct() {
        Folder.engineUnderTest = Folder.EngineUnderTest.DIRECT;
    }

    @AfterAll
    static void asElsewhere() {
        Folder.engineUnderTest = Folder.EngineUnderTest.PWRITE;
    }

    @Nested
    class OfThePartition extends PartitionLogTest {}

    @Nested
    class OfRolling extends RollTest {}

    @Nested
    class OfRecovery extends RecoveryTest {}

    @Nested
    class OfCeilings extends CeilingTest {}

    @Nested
    class OfFlushing extends FlushPolicyTest {}

    @Nested
    class OfRetention extends RetentionTest {}

    @Nested
    class OfTimestamps extends TimestampSearchTest {}

    @Nested
    class OfProducers extends ProducerStatesTest {}

    @Nested
    class OfConcurrency extends LogConcurrencyTest {}

    @Nested
    class OfTheModel extends LogModelTest {}

    @Nested
    class OfReaders extends UndrainedReaderTest {}
}
