package dev.sluice.broker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.broker.TestClient.TopicRef;
import dev.sluice.io.linux.Errno;
import dev.sluice.testkit.Batches;
import dev.sluice.testkit.GateFaults;
import dev.sluice.testkit.LeakCounter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// Topics that are made and deleted while the disk stops in the middle of it: at the first call that changes a file, at
/// the second, and so on, until one goes through. After the next start the catalogue and the folders agree, nothing
/// that was acknowledged is lost, and the name can be used.
///
/// Two ways of stopping. *Dead*: from that call on every change fails, those of the broker's stop included, so that the
/// folder stays as a process leaves it that dies there. *Once*: that call fails and the disk is well again.
@ExtendWith(LeakCounter.class)
class CatalogueCrashTest {
    private static final int PARTITIONS = 2;
    private static final byte[] BATCH = Batches.of("kept").bytes();

    @TempDir
    private Path folder;

    /// What a client asks for while the disk stops, and what has to hold after the next start.
    private interface Change {
        /// @return whether the broker said that it is done
        boolean ask(TestClient client) throws IOException;

        void check(TestClient client, boolean acknowledged) throws IOException;
    }

    // ---- Making

    private static final class Making implements Change {
        private TopicRef made;

        @Override
        public boolean ask(TestClient client) throws IOException {
            CreatableTopicResult result = client.tryCreate("changed", PARTITIONS);
            if (result.errorCode() != 0) {
                assertThat(Errors.forCode(result.errorCode())).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
                assertThat(client.metadata().topics().find("changed")).isNull();
                return false;
            }
            made = new TopicRef("changed", result.topicId());
            return true;
        }

        @Override
        public void check(TestClient client, boolean acknowledged) throws IOException {
            if (acknowledged) {
                assertThat(client.find("changed")).isEqualTo(made);
            }
            if (client.metadata().topics().find("changed") == null) {
                client.create("changed", PARTITIONS);
            }
            assertWhole(client, 0);
        }
    }

    @Test
    void aTopicThatWasBeingMadeWhenTheBrokerDiedIsThereOrNot() throws Exception {
        dieAtEveryCall(new Making(), false);
    }

    @Test
    void aTopicWhoseMakingFailedOnceCanBeMade() throws Exception {
        failAtEveryCall(new Making(), false);
    }

    // ---- Deleting

    private static final class Deleting implements Change {
        @Override
        public boolean ask(TestClient client) throws IOException {
            Errors error = client.delete("changed");
            if (error != Errors.NONE) {
                assertThat(error).isEqualTo(Errors.KAFKA_STORAGE_ERROR);
                return false;
            }
            assertThat(client.metadata().topics().find("changed")).isNull();
            return true;
        }

        @Override
        public void check(TestClient client, boolean acknowledged) throws IOException {
            MetadataResponseTopic found = client.metadata().topics().find("changed");
            if (acknowledged) {
                assertThat(found).isNull();
            }
            if (found == null) {
                client.create("changed", PARTITIONS);
                assertWhole(client, 0);
            } else {
                assertWhole(client, 1); // with all its records
            }
        }
    }

    @Test
    void aTopicThatWasBeingDeletedWhenTheBrokerDiedIsThereOrNot() throws Exception {
        dieAtEveryCall(new Deleting(), true);
    }

    @Test
    void aTopicWhoseDeletionFailedOnceIsThereOrNot() throws Exception {
        failAtEveryCall(new Deleting(), true);
    }

    // ---- Producer ids

    @Test
    void noProducerIdIsGivenOutTwiceWhereverTheBrokerDied() throws Exception {
        Set<Long> given = new HashSet<>();
        Change giving = new Change() {
            @Override
            public boolean ask(TestClient client) {
                try {
                    assertThat(given.add(client.producerId())).isTrue();
                    return true;
                } catch (AssertionError | IOException e) {
                    return false; // refused, which is no news to this test
                }
            }

            @Override
            public void check(TestClient client, boolean acknowledged) throws IOException {
                assertThat(given.add(client.producerId())).isTrue();
                given.clear(); // each number of calls has a folder of its own
            }
        };
        dieAtEveryCall(giving, false);
        failAtEveryCall(giving, false);
    }

    // ---- How it is done

    private void dieAtEveryCall(Change change, boolean topicIsThere) throws Exception {
        for (int number = 1; ; number++) {
            TestBroker broker = start("dead-" + number, topicIsThere);
            boolean acknowledged;
            GateFaults.Fault dead;
            try (TestClient client = broker.client()) {
                dead = changes(broker).from(number).fails(Errno.EIO);
                acknowledged = change.ask(client);
            }
            boolean struck = dead.hits() > 0;
            die(broker);
            dead.heal();
            checkAfterStart(broker, change, acknowledged);
            if (!struck) {
                assertThat(number).as("calls, and one").isGreaterThan(2); // or the faults fit no call at all
                return;
            }
        }
    }

    private void failAtEveryCall(Change change, boolean topicIsThere) throws Exception {
        for (int number = 1; ; number++) {
            TestBroker broker = start("once-" + number, topicIsThere);
            boolean acknowledged;
            boolean struck;
            try (TestClient client = broker.client()) {
                GateFaults.Fault fault = changes(broker).from(number).times(1).fails(Errno.ENOSPC);
                acknowledged = change.ask(client);
                struck = fault.hits() > 0;
                fault.heal();
                if (!acknowledged) {
                    acknowledged = change.ask(client); // again, on a disk that is well
                }
            }
            die(broker);
            checkAfterStart(broker, change, acknowledged);
            if (!struck) {
                assertThat(number).as("calls, and one").isGreaterThan(2); // or the faults fit no call at all
                return;
            }
        }
    }

    private static GateFaults.Selection changes(TestBroker broker) {
        return broker.faults.onChanges().of(broker.folder() + "/*");
    }

    /// Ends the broker without another change to its folder.
    private static void die(TestBroker broker) {
        GateFaults.Fault dead = changes(broker).fails(Errno.EIO);
        try {
            broker.broker().close();
        } catch (IOException e) {
            // It could not be closed cleanly, which is what is wanted.
        }
        dead.heal();
    }

    /// A broker in a copy of a folder that was prepared once, which is cheaper than preparing it each time.
    private TestBroker start(String name, boolean topicIsThere) throws IOException {
        Path prepared = folder.resolve("prepared");
        if (!Files.exists(prepared)) {
            prepare(prepared, topicIsThere);
        }
        Path copy = folder.resolve(name);
        try (var files = Files.walk(prepared)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Files.copy(file, copy.resolve(prepared.relativize(file)));
            }
        }
        return TestBroker.start(copy, "num.network.threads", "1");
    }

    private static void prepare(Path prepared, boolean topicIsThere) throws IOException {
        try (TestBroker broker = TestBroker.start(prepared);
                TestClient client = broker.client()) {
            client.append(client.create("other", 1), 0, BATCH);
            if (topicIsThere) {
                TopicRef topic = client.create("changed", PARTITIONS);
                for (int partition = 0; partition < PARTITIONS; partition++) {
                    client.append(topic, partition, BATCH);
                }
            }
        }
    }

    private static void checkAfterStart(TestBroker broker, Change change, boolean acknowledged) throws Exception {
        broker.start();
        try (TestClient client = broker.client()) {
            assertFoldersAgree(broker, client);
            assertThat(client.read(client.find("other"), 0, 0)).isEqualTo(Batches.stored(BATCH, 0, 0));
            change.check(client, acknowledged);
            assertFoldersAgree(broker, client);
        }
        die(broker);
        broker.close();
    }

    /// Every partition can be appended to, from this offset on.
    private static void assertWhole(TestClient client, long offset) throws IOException {
        TopicRef topic = client.find("changed");
        for (int partition = 0; partition < PARTITIONS; partition++) {
            assertThat(client.append(topic, partition, BATCH)).isEqualTo(offset);
        }
    }

    private static void assertFoldersAgree(TestBroker broker, TestClient client) throws IOException {
        Set<String> expected = new TreeSet<>();
        for (MetadataResponseTopic topic : client.metadata().topics()) {
            topic.partitions().forEach(partition -> expected.add(topic.name() + "-" + partition.partitionIndex()));
        }
        Set<String> found = new TreeSet<>();
        try (var files = Files.list(broker.folder())) {
            files.filter(Files::isDirectory)
                    .map(file -> file.getFileName().toString())
                    .filter(name -> !name.startsWith("__sluice"))
                    .forEach(found::add);
        }
        assertThat(found).isEqualTo(expected);
    }
}
