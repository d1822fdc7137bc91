package dev.sluice.log;

import dev.sluice.log.Folder.EngineUnderTest;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// The log's contract once more, with the other engines under it: the same tests as with pwrite.
///
/// Left out is what asks for pwrite's own calls, what counts descriptors, and what has Kafka read a segment that is
/// being appended to.
@ParameterizedClass
@EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "PWRITE")
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class OnEveryEngineTest {
    OnEveryEngineTest(EngineUnderTest engine) {
        assert engine == Folder.engineUnderTest;
    }

    @BeforeParameterizedClassInvocation
    static void use(EngineUnderTest engine) {
        Folder.engineUnderTest = engine;
    }

    @AfterParameterizedClassInvocation
    static void asElsewhere() {
        Folder.engineUnderTest = EngineUnderTest.PWRITE;
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
