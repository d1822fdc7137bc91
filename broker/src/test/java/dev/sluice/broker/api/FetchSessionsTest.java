package dev.sluice.broker.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.protocol.FetchPlan;
import dev.sluice.broker.protocol.FetchRequest;
import dev.sluice.broker.protocol.NameCache;
import dev.sluice.broker.protocol.WireReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.apache.kafka.common.protocol.MessageUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The bound of what all sessions of a loop take.
@Timeout(180)
class FetchSessionsTest {
    private static final short VERSION = 17;
    private static final Uuid TOPIC = new Uuid(1, 2);

    /// Two sessions of so many partitions fit, a third one doesn't.
    private static final int MANY = 120_000;

    private final FetchSessions sessions = new FetchSessions(10, new Random(1));

    private static FetchPlan asking(int partitions, List<Integer> forgotten) {
        FetchTopic topic = new FetchTopic().setTopicId(TOPIC);
        for (int p = 0; p < partitions; p++) {
            topic.partitions().add(new FetchPartition().setPartition(p));
        }
        FetchRequestData request = new FetchRequestData().setTopics(List.of(topic));
        if (!forgotten.isEmpty()) {
            request.setForgottenTopicsData(
                    List.of(new ForgottenTopic().setTopicId(TOPIC).setPartitions(forgotten)));
        }
        byte[] bytes =
                MessageUtil.toByteBufferAccessor(request, VERSION).buffer().array();
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        FetchPlan plan = new FetchPlan();
        FetchRequest.parse(new WireReader().over(memory, 0, bytes.length), VERSION, new NameCache(1), plan);
        return plan;
    }

    private static List<Integer> allButOne() {
        return IntStream.range(1, MANY).boxed().toList();
    }

    private FetchSessions.Entry begun(FetchPlan request) {
        FetchSessions.Entry entry = sessions.create(request, 0);
        assertThat(entry).isNotNull();
        sessions.leave(entry);
        return entry;
    }

    @Test
    void whatASessionForgetsStillCounts() {
        // Its memory stays: who grows sessions and shrinks them could have the broker hold any number of large ones.
        FetchPlan many = asking(MANY, List.of());
        FetchPlan shrinking = asking(0, allButOne());
        for (int i = 0; i < 2; i++) {
            FetchSessions.Entry entry = begun(many);
            assertThat(sessions.goOn(entry, shrinking, 0)).isTrue();
            assertThat(entry.session.plan().partitionCount()).isEqualTo(1);
        }

        assertThat(sessions.create(many, 0)).isNull();
    }

    @Test
    void whatIsAskedAndForgottenInOneRequestCounts() {
        FetchPlan growingAndShrinking = asking(MANY, allButOne());
        for (int i = 0; i < 2; i++) {
            FetchSessions.Entry entry = begun(asking(1, List.of()));
            assertThat(sessions.goOn(entry, growingAndShrinking, 0)).isTrue();
            assertThat(entry.session.plan().partitionCount()).isEqualTo(1);
        }

        assertThat(sessions.create(asking(MANY, List.of()), 0)).isNull();
    }

    @Test
    void anIdleSessionMakesRoomForPartitions() {
        FetchPlan many = asking(MANY, List.of());
        FetchSessions.Entry idle = begun(many);
        FetchSessions.Entry used = begun(many);
        assertThat(sessions.goOn(used, asking(0, List.of()), 1)).isTrue();

        assertThat(sessions.create(many, FetchSessions.EVICTED_WHEN_IDLE_MS - 1))
                .isNull();
        assertThat(sessions.create(many, FetchSessions.EVICTED_WHEN_IDLE_MS)).isNotNull();

        assertThat(sessions.find(idle.session.id())).isNull();
        assertThat(sessions.find(used.session.id())).isSameAs(used);
    }

    @Test
    void whoAsksForMoreThanEverFitsEvictsNobody() {
        FetchSessions.Entry idle = begun(asking(1, List.of()));

        assertThat(sessions.create(
                        asking(FetchSessions.MOST_PARTITIONS + 1, List.of()), FetchSessions.EVICTED_WHEN_IDLE_MS))
                .isNull();

        assertThat(sessions.find(idle.session.id())).isSameAs(idle);
    }
}
