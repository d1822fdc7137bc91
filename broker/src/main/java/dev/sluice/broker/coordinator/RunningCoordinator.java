package dev.sluice.broker.coordinator;

import com.yammer.metrics.core.MetricsRegistry;
import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.catalogue.CatalogueImage;
import dev.sluice.broker.catalogue.Topic;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Kernel;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.coordinator.group.GroupCoordinatorService;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorMetrics;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.apache.kafka.server.util.PartitionMetadataClient;
import org.apache.kafka.server.util.timer.SystemTimer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Kafka's coordinator with all that it needs, loaded and at work.
///
/// ```
///   group-coordinator-event-processor-0   decides, one request after the other, and appends what it decided
///   group-coordinator-background-0        works out assignments of large groups
///   sluice-group-timer, executor-…        session timeouts, rebalance delays, expiry
///   sluice-group-background               flushes a rewritten log, gives up what lies before
/// ```
final class RunningCoordinator {
    private static final Logger LOG = LoggerFactory.getLogger(RunningCoordinator.class);

    /// Room for the state of large groups, whatever `message.max.bytes` says of what producers send.
    private static final int BATCH_BYTES = 1 << 20;

    private static final long STOP_MS = 10_000;

    /// Nothing is due sooner than what the timer knows, and something new wakes it.
    private static final long TIMER_WAIT_MS = 3_600_000;

    private final GroupCoordinatorService service;
    private final OffsetsWriter writer;
    private final OffsetsLoader loader;
    private final TopicImages images;
    private final MetricsRegistry registry;
    private final Thread timerThread;
    private final ExecutorService background = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("sluice-group-background").daemon().factory());

    /// What the coordinator was told last; null before it was loaded.
    private volatile @Nullable CatalogueImage seen;

    private RunningCoordinator(Kernel kernel, BrokerConfig config, Topic topic, InstantSource clock) {
        CoordinatorSettings settings = CoordinatorSettings.of(config.groups());
        writer = new OffsetsWriter(kernel, topic, batchBytes(config, topic), background);
        SystemTimer timer = new SystemTimer("group-coordinator");
        loader = new OffsetsLoader(writer);
        images = new TopicImages(config.nodeId());
        registry = new MetricsRegistry();
        timerThread = Thread.ofPlatform().name("sluice-group-timer").daemon().unstarted(() -> run(timer));
        service = new GroupCoordinatorService.Builder(config.nodeId(), settings.coordinator())
                .withWriter(writer)
                .withLoader(loader)
                .withTime(new BrokerTime(clock))
                .withTimer(timer)
                .withCoordinatorRuntimeMetrics(new NoMetrics())
                .withGroupCoordinatorMetrics(new GroupCoordinatorMetrics(registry, new Metrics()))
                .withGroupConfigManager(settings.perGroup())
                .withPersister(new NoOpStatePersister())
                .withAuthorizerPlugin(Optional.empty())
                .withPartitionMetadataClient(new NoShareGroups())
                .build();
    }

    private static int batchBytes(BrokerConfig config, Topic topic) {
        int segmentBytes = topic.partitions().getFirst().log().config().segmentBytes();
        return Math.min(segmentBytes, Math.max(BATCH_BYTES, config.log().maxMessageBytes()));
    }

    private static void run(SystemTimer timer) {
        try {
            while (true) {
                timer.advanceClock(TIMER_WAIT_MS);
            }
        } catch (InterruptedException | RejectedExecutionException e) {
            // Stopped.
        }
    }

    /// Starts it and answers when everything that the topic remembers was loaded.
    static RunningCoordinator start(
            Kernel kernel, BrokerConfig config, Topic topic, Catalogue catalogue, InstantSource clock) {
        RunningCoordinator coordinator = new RunningCoordinator(kernel, config, topic, clock);
        coordinator.timerThread.start();
        try {
            coordinator.load(topic, catalogue);
            return coordinator;
        } catch (RuntimeException | Error e) {
            coordinator.stop();
            throw e;
        }
    }

    private void load(Topic topic, Catalogue catalogue) {
        service.startup(topic.partitions()::size);
        for (Partition partition : topic.partitions()) {
            service.onElection(partition.index(), Math.max(0, partition.log().leaderEpoch()));
        }
        awaitLoaded();
        CatalogueImage now = catalogue.image();
        Set<OffsetsLoader.CommittedTopic> gone = loader.committed().stream()
                .filter(committed -> !isThere(committed, now))
                .collect(Collectors.toSet());
        if (!gone.isEmpty()) {
            // Deleted while no coordinator was loaded.
            TopicImages.Change before = images.gone(gone);
            service.onMetadataUpdate(before.delta(), before.image());
        }
        tell(now);
    }

    /// A question to all partitions is answered once they are loaded; until then it is answered that they are not,
    /// in its turn behind what is queued.
    private void awaitLoaded() {
        ListGroupsRequestData nothing = new ListGroupsRequestData().setStatesFilter(List.of("none"));
        short error;
        do {
            error = service.listGroups(Caller.NOBODY, nothing).join().errorCode();
        } while (error == Errors.COORDINATOR_LOAD_IN_PROGRESS.code());
    }

    private static boolean isThere(OffsetsLoader.CommittedTopic committed, CatalogueImage catalogue) {
        Topic topic = catalogue.topic(committed.name());
        return topic != null
                && (committed.id().equals(Uuid.ZERO_UUID) || committed.id().equals(TopicImages.kafkaId(topic.id())));
    }

    GroupCoordinatorService service() {
        return service;
    }

    /// Whether the coordinator was told of this image: topics that are made and deleted change assignments.
    boolean hasSeen(CatalogueImage catalogue) {
        return seen == catalogue;
    }

    /// Tells the coordinator of the topics there are now, and waits until it has forgotten the offsets of those
    /// that are gone. One at a time, each with the newest image: an older one would say that new topics are gone.
    synchronized void show(Catalogue catalogue) {
        CatalogueImage now = catalogue.image();
        if (!hasSeen(now)) {
            tell(now);
        }
    }

    private void tell(CatalogueImage image) {
        TopicImages.Change change = images.change(image);
        service.onMetadataUpdate(change.delta(), change.image());
        seen = image;
    }

    /// Ends everything; requests under way are answered that there is no coordinator here.
    ///
    /// @return whether it all ended in time
    boolean stop() {
        // It waits for its threads, one of which may be waiting for the disk.
        Thread stopping = Thread.ofPlatform().name("sluice-group-stop").daemon().start(this::stopNow);
        boolean ended = false;
        try {
            ended = stopping.join(Duration.ofMillis(STOP_MS))
                    && background.awaitTermination(STOP_MS, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!ended) {
            LOG.error("The group coordinator did not end in {} ms", STOP_MS);
        }
        return ended;
    }

    private void stopNow() {
        timerThread.interrupt();
        service.shutdown();
        registry.shutdown();
        writer.close();
        background.shutdown();
    }

    /// Share groups, which are not offered, would ask for this.
    private static final class NoShareGroups implements PartitionMetadataClient {
        @Override
        public Map<TopicPartition, CompletableFuture<OffsetResponse>> listLatestOffsets(
                Set<TopicPartition> partitions) {
            return Map.of();
        }

        @Override
        public void close() {}
    }
}
