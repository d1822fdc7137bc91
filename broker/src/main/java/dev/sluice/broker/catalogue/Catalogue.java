package dev.sluice.broker.catalogue;

import dev.sluice.broker.config.BrokerSettings;
import dev.sluice.broker.config.ConfigException;
import dev.sluice.broker.config.LiveConfig;
import dev.sluice.broker.config.TopicKeys;
import dev.sluice.broker.config.TopicSettings;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.io.Serial;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which topics there are, which producer ids were given out, and what clients have set for the broker.
///
/// Changes go to a durable log first, then to the disk's folders, then into a new [CatalogueImage] that everybody sees
/// at once. A crash between two of these steps is made good when the broker starts: what the log says is what holds.
///
/// [#image] may be called from any thread and costs a volatile read. Changes block on the disk, so they are never made
/// on an event loop; those of topics are made one at a time, and producer ids don't wait for them.
public final class Catalogue {
    /// Thrown when a topic that is to be made exists.
    public static final class TopicExistsException extends Exception {
        @Serial
        private static final long serialVersionUID = 1L;

        TopicExistsException(String name) {
            super("Topic " + name + " exists already");
        }
    }

    /// Thrown when a topic may not have this name.
    public static final class TopicNameException extends Exception {
        @Serial
        private static final long serialVersionUID = 1L;

        TopicNameException(String message) {
            super(message);
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);

    /// Ids reserved by one durable write, as in Kafka.
    private static final int PRODUCER_ID_BLOCK = 1000;

    /// A log of more records is compacted at the start, if most of them say what no longer holds.
    private static final int COMPACT_ABOVE_RECORDS = 1000;

    /// A topic that is gone, though the disk does not show it yet.
    ///
    /// @param created what was said of it
    /// @param said    whether the log says that it is gone
    private record Gone(CatalogueRecord.TopicCreated created, boolean said) {}

    private final LogDirectory directory;
    private final LiveConfig config;
    private final CatalogueLog log;
    private final CreationDamper damper;

    private volatile CatalogueImage image = CatalogueImage.EMPTY;

    // Guarded by this.
    /// Topics whose deletion failed half-way, by id; made good before the next topic is made.
    private final Map<UUID, Gone> owed = new LinkedHashMap<>();

    private final Object producerIds = new Object();

    // Guarded by producerIds.
    private long nextProducerId;
    private long producerIdsReserved;

    private Catalogue(LogDirectory directory, LiveConfig config, CatalogueLog log, CreationDamper damper) {
        this.directory = directory;
        this.config = config;
        this.log = log;
        this.damper = damper;
    }

    // ---- How it starts

    /// Reads the catalogue of a data folder, and brings the folder in line with it.
    ///
    /// @param config gets what clients have set for the broker, now and later
    /// @throws IOException when the catalogue can't be read
    public static Catalogue open(Kernel kernel, LogDirectory directory, LiveConfig config, InstantSource clock)
            throws IOException {
        return open(kernel, directory, config, clock, COMPACT_ABOVE_RECORDS);
    }

    /// @param compactAboveRecords see [#COMPACT_ABOVE_RECORDS]
    static Catalogue open(
            Kernel kernel, LogDirectory directory, LiveConfig config, InstantSource clock, int compactAboveRecords)
            throws IOException {
        CatalogueLog log = CatalogueLog.open(kernel, directory, clock);
        Catalogue catalogue = new Catalogue(directory, config, log, new CreationDamper(clock));
        catalogue.replay(compactAboveRecords);
        return catalogue;
    }

    private synchronized void replay(int compactAboveRecords) throws IOException {
        ReplayedCatalogue replayed = new ReplayedCatalogue();
        log.replay(replayed::add);
        synchronized (producerIds) {
            producerIdsReserved = replayed.producerIdsReserved();
            nextProducerId = producerIdsReserved;
        }
        config.set(settingsOf(replayed));
        boolean allRemoved = removeDeleted(replayed);
        List<Topic> topics = new ArrayList<>();
        for (CatalogueRecord.TopicCreated created : replayed.topics()) {
            topics.add(open(created));
        }
        image = CatalogueImage.of(topics);
        List<CatalogueRecord> live = replayed.live();
        // A folder that could not be removed is known for what it is by the record of its deletion.
        if (allRemoved && replayed.records() > Math.max(compactAboveRecords, 2L * live.size())) {
            compact(live, replayed.records());
        }
    }

    private BrokerSettings settingsOf(ReplayedCatalogue replayed) throws IOException {
        try {
            BrokerSettings settings = config.settings()
                    .with(BrokerSettings.ALL, replayed.configsOf(BrokerSettings.ALL))
                    .with(name(), replayed.configsOf(name()));
            LiveConfig.check(settings);
            return settings;
        } catch (ConfigException e) {
            throw new IOException(
                    "Clients have set for the broker what this version does not take: " + e.getMessage()
                            + ". Start the version that they set it with",
                    e);
        }
    }

    /// This broker's, among brokers.
    private String name() {
        return Integer.toString(config.now().nodeId());
    }

    /// Finishes deletions in the middle of which the broker stopped.
    ///
    /// @return whether nothing of them is left
    private boolean removeDeleted(ReplayedCatalogue replayed) {
        boolean allRemoved = true;
        for (PartitionLog found : directory.logs()) {
            UUID id = found.topicId().orElse(null);
            if (CatalogueLog.isOwn(found) || (id != null && replayed.isTopic(id))) {
                continue;
            }
            if (id != null && replayed.isDeleted(id)) {
                allRemoved &= remove(found);
            } else {
                LOG.warn(
                        "The data folder has {}-{}, which the catalogue does not know; it is left alone",
                        found.topic(),
                        found.partition());
            }
        }
        return allRemoved;
    }

    private void compact(List<CatalogueRecord> live, long records) {
        try {
            log.compact(live);
            LOG.info("The catalogue's log of {} records was rewritten as {}", records, live.size());
        } catch (IOException e) {
            LOG.warn("The catalogue's log could not be compacted; it goes on as it is", e);
        }
    }

    /// The topic with its partitions' logs, made where they are missing.
    private Topic open(CatalogueRecord.TopicCreated created) throws IOException {
        return open(created, List.of());
    }

    /// @param known the partitions that are open already, the first ones
    private Topic open(CatalogueRecord.TopicCreated created, List<Partition> known) throws IOException {
        TopicSettings settings = settingsOf(created);
        List<Partition> partitions = new ArrayList<>(created.partitions());
        partitions.addAll(known);
        for (PartitionLog log : logs(created, known.size(), settings)) {
            partitions.add(new Partition(partitions.size(), log, settings.records()));
        }
        return new Topic(created.id(), created.name(), List.copyOf(partitions), Map.copyOf(created.configs()));
    }

    /// @param first of the partitions whose logs are asked for, all from there on
    private List<PartitionLog> logs(CatalogueRecord.TopicCreated created, int first, TopicSettings settings)
            throws IOException {
        int end = created.partitions();
        if (end - first > 1
                && IntStream.range(first, end)
                        .allMatch(i -> directory.log(created.name(), i).isEmpty())) {
            return directory.create(created.name(), first, end, created.id(), settings.log());
        }
        List<PartitionLog> logs = new ArrayList<>(end - first);
        for (int i = first; i < end; i++) {
            logs.add(open(created, i, settings));
        }
        return logs;
    }

    private TopicSettings settingsOf(CatalogueRecord.TopicCreated created) throws IOException {
        try {
            return settings(created.name(), created.configs());
        } catch (ConfigException e) {
            throw new IOException(
                    "Topic " + created.name() + " was made with settings that this version does not take: "
                            + e.getMessage() + ". Start the version that made it",
                    e);
        }
    }

    /// The broker's own topics say what holds now: no record goes by its age or for want of room, and they are
    /// written on a full disk too.
    private TopicSettings settings(String name, Map<String, String> configs) {
        TopicSettings settings = TopicKeys.settings(config.now().topics(), configs);
        return TopicNames.isInternal(name)
                ? new TopicSettings(settings.log().withDeleted(false).withVital(true), settings.records())
                : settings;
    }

    private PartitionLog open(CatalogueRecord.TopicCreated created, int partition, TopicSettings settings)
            throws IOException {
        Optional<PartitionLog> found = directory.log(created.name(), partition);
        if (found.isEmpty()) {
            return directory.create(created.name(), partition, created.id(), settings.log());
        }
        PartitionLog existing = found.get();
        UUID id = existing.topicId().orElse(null);
        if (id == null) {
            existing.assignTopicId(created.id());
        } else if (!id.equals(created.id())) {
            throw new IOException("The folder " + directory.folder().resolve(created.name() + "-" + partition)
                    + " belongs to another topic (id " + id + ", the catalogue says " + created.id()
                    + "): move it out of the data folder");
        }
        existing.configure(settings.log());
        if (existing.owesFlush()) {
            existing.flush(); // it was recovered without its topic's settings, and must keep its promise before it is
            // read
        }
        return existing;
    }

    // ---- Topics

    /// All topics as they are now.
    public CatalogueImage image() {
        return image;
    }

    /// Makes a topic.
    ///
    /// @param configs checked by [TopicKeys#settings] before
    /// @throws TopicExistsException when there is one of that name
    /// @throws TopicNameException   when it may not have this name: Kafka's rules, and it must differ from those of
    ///     other topics in more than '.' and '_'
    /// @throws IOException          when it could not be stored. There is then no such topic; but when the disk did
    ///     not even take that back, and the broker ends before the next topic is made, the next start finds it,
    ///     empty
    public synchronized Topic create(String name, int partitions, Map<String, String> configs)
            throws TopicExistsException, TopicNameException, IOException {
        requireFree(name);
        settleOwed();
        var created = new CatalogueRecord.TopicCreated(UUID.randomUUID(), name, partitions, configs);
        log.append(List.of(created));
        Topic topic;
        try {
            topic = open(created);
        } catch (IOException | RuntimeException | Error e) {
            takeBack(created, e);
            throw e;
        }
        image = image.with(topic);
        damper.succeeded(name);
        LOG.info("Topic {} made with {} partitions", name, partitions);
        return topic;
    }

    /// Changes what clients have set for a broker, which holds at once, for what topics inherit of it too.
    ///
    /// @param broker this broker's number, or empty for all brokers
    /// @param change makes of all that is set now what clients shall have set for that broker, and may throw a
    ///     ConfigException; nobody else changes anything meanwhile
    /// @param validateOnly look whether it can be, and change nothing
    /// @throws ConfigException when that can't be; nothing has changed then
    /// @throws IOException     when it could not be stored; what held goes on holding
    public synchronized void configureBroker(
            String broker, Function<BrokerSettings, Map<String, String>> change, boolean validateOnly)
            throws IOException {
        BrokerSettings settings = config.settings();
        BrokerSettings changed = settings.with(broker, change.apply(settings));
        LiveConfig.check(changed);
        if (validateOnly || changed.equals(settings)) {
            return;
        }
        log.append(List.of(new CatalogueRecord.BrokerConfigured(broker, changed.of(broker))));
        config.set(changed);
        for (Topic topic : image.topics()) {
            TopicSettings now = settings(topic.name(), topic.configs());
            topic.partitions().forEach(partition -> partition.configure(now));
        }
        LOG.info("{} configured: {}", broker.isEmpty() ? "All brokers" : "Broker " + broker, changed.of(broker));
    }

    /// Changes what is set for a topic.
    ///
    /// @param change makes of what is set now what shall be, and may throw a ConfigException
    /// @return false when there is no such topic
    /// @throws ConfigException when that can't be; nothing has changed then
    /// @throws IOException     when it could not be stored; what held goes on holding
    public synchronized boolean configure(Topic topic, UnaryOperator<Map<String, String>> change) throws IOException {
        Topic known = image.topic(topic.id());
        if (known == null) {
            return false;
        }
        Map<String, String> configs = change.apply(known.configs());
        TopicSettings settings = settings(known.name(), configs);
        var now = new CatalogueRecord.TopicCreated(
                known.id(), known.name(), known.partitions().size(), configs);
        log.append(List.of(new CatalogueRecord.TopicChanged(now)));
        known.partitions().forEach(partition -> partition.configure(settings));
        image = image.with(new Topic(known.id(), known.name(), known.partitions(), Map.copyOf(configs)));
        LOG.info("Topic {} is configured with {}", known.name(), configs);
        return true;
    }

    /// Gives a topic more partitions.
    ///
    /// @param partitions how many it is to have then: more than it has
    /// @return false when there is no such topic, or it has as many by now
    /// @throws IOException when it could not be stored. The topic then has no more than before; but when the disk
    ///     did not even take that back, the next start may find it with the empty partitions
    public synchronized boolean addPartitions(Topic topic, int partitions) throws IOException {
        Topic known = image.topic(topic.id());
        if (known == null || known.partitions().size() >= partitions) {
            return false;
        }
        var now = new CatalogueRecord.TopicCreated(known.id(), known.name(), partitions, known.configs());
        log.append(List.of(new CatalogueRecord.TopicChanged(now)));
        try {
            image = image.with(open(now, known.partitions()));
        } catch (IOException | RuntimeException | Error e) {
            takeBack(known, partitions, e);
            throw e;
        }
        LOG.info("Topic {} has {} partitions now", known.name(), partitions);
        return true;
    }

    /// Said, but not done: says how many partitions there are, and removes what there is of the others.
    private void takeBack(Topic known, int partitions, Throwable cause) {
        int before = known.partitions().size();
        try {
            log.append(List.of(new CatalogueRecord.TopicChanged(
                    new CatalogueRecord.TopicCreated(known.id(), known.name(), before, known.configs()))));
        } catch (IOException | RuntimeException | Error e) {
            cause.addSuppressed(e);
        }
        for (int i = before; i < partitions; i++) {
            directory.log(known.name(), i).ifPresent(this::remove);
        }
    }

    /// Throws what [#create] would throw for this name now.
    public void requireFree(String name) throws TopicExistsException, TopicNameException {
        Optional<String> problem = TopicNames.problem(name);
        if (problem.isPresent()) {
            throw new TopicNameException(problem.get());
        }
        if (image.topic(name) != null) {
            throw new TopicExistsException(name);
        }
        Topic colliding = image.colliding(name);
        if (colliding != null) {
            throw new TopicNameException(
                    "Topic " + name + " collides with topic " + colliding.name() + ": they differ in '.' and '_' only");
        }
    }

    /// Said, but not done: takes it back, so that the name is free once the disk has room again.
    private void takeBack(CatalogueRecord.TopicCreated created, Throwable cause) {
        boolean said = false;
        try {
            log.append(List.of(new CatalogueRecord.TopicDeleted(created.id())));
            said = true;
        } catch (IOException | RuntimeException | Error e) {
            cause.addSuppressed(e);
        }
        if (!removeFolders(created) || !said) {
            owed.put(created.id(), new Gone(created, said));
        }
    }

    /// Makes good what failed of earlier deletions.
    ///
    /// @throws IOException when the log still can't say that a topic is gone
    private void settleOwed() throws IOException {
        for (Iterator<Map.Entry<UUID, Gone>> each = owed.entrySet().iterator(); each.hasNext(); ) {
            Map.Entry<UUID, Gone> entry = each.next();
            CatalogueRecord.TopicCreated created = entry.getValue().created();
            if (!entry.getValue().said()) {
                log.append(List.of(new CatalogueRecord.TopicDeleted(created.id())));
                entry.setValue(new Gone(created, true));
            }
            if (removeFolders(created)) {
                each.remove();
            }
        }
    }

    /// Makes a topic that a client has asked for without saying more, unless that failed a moment ago.
    ///
    /// @return whether there is such a topic now
    public boolean createOnDemand(String name, int partitions) {
        if (!damper.mayTry(name)) {
            return false;
        }
        try {
            create(name, partitions, Map.of());
            return true;
        } catch (TopicExistsException e) {
            return true; // somebody else asked for it at the same time: good
        } catch (TopicNameException | IOException e) {
            damper.failed(name);
            LOG.error("Topic {} could not be made for a client that asked for it", name, e);
            return false;
        }
    }

    /// Deletes a topic and its records. Fetches under way end with what they have.
    ///
    /// @return false when there is no such topic
    /// @throws IOException when it could not be stored; the topic is then still there, until the next start at
    ///                     least
    public synchronized boolean delete(Topic named) throws IOException {
        Topic topic = image.topic(named.id()); // it may have changed meanwhile
        if (topic == null) {
            return false;
        }
        log.append(List.of(new CatalogueRecord.TopicDeleted(topic.id())));
        image = image.without(topic);
        topic.partitions().forEach(Partition::wakeAll);
        var created = new CatalogueRecord.TopicCreated(
                topic.id(), topic.name(), topic.partitions().size(), topic.configs());
        if (!removeFolders(created)) {
            owed.put(topic.id(), new Gone(created, true));
        }
        LOG.info("Topic {} deleted", topic.name());
        return true;
    }

    /// @return whether none is left
    private boolean removeFolders(CatalogueRecord.TopicCreated gone) {
        boolean allRemoved = true;
        for (int i = 0; i < gone.partitions(); i++) {
            PartitionLog found = directory.log(gone.name(), i).orElse(null);
            if (found != null && found.topicId().filter(gone.id()::equals).isPresent()) {
                allRemoved &= remove(found);
            }
        }
        return allRemoved;
    }

    private boolean remove(PartitionLog gone) {
        try {
            directory.delete(gone);
            return true;
        } catch (IOException e) {
            LOG.warn("The folder of {}-{} could not be removed; it is tried again", gone.topic(), gone.partition(), e);
            return false;
        }
    }

    // ---- Producer ids

    /// A producer id that was never given out before, whatever crashed meanwhile.
    ///
    /// @throws IOException when a new block of ids could not be reserved
    public long nextProducerId() throws IOException {
        synchronized (producerIds) {
            if (nextProducerId == producerIdsReserved) {
                long end = producerIdsReserved + PRODUCER_ID_BLOCK;
                log.append(List.of(new CatalogueRecord.ProducerIdsReserved(end)));
                producerIdsReserved = end;
            }
            return nextProducerId++;
        }
    }
}
