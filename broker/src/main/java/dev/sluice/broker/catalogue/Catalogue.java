package dev.sluice.broker.catalogue;

import dev.sluice.broker.config.TopicKeys;
import dev.sluice.broker.partition.Partition;
import dev.sluice.io.linux.Kernel;
import dev.sluice.log.LogConfig;
import dev.sluice.log.LogDirectory;
import dev.sluice.log.PartitionLog;
import java.io.IOException;
import java.io.Serial;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which topics there are, and which producer ids were given out.
///
/// Changes go to a durable log first, then to the disk's folders, then into a new [CatalogueImage] that everybody sees
/// at once. A crash between two of these steps is made good when the broker starts: what the log says is what holds.
///
/// [#image] may be called from any thread and costs a volatile read. Changes block on the disk, so they are never made
/// on an event loop; they are made one at a time.
public final class Catalogue {
    /// Thrown when a topic that is to be made exists.
    public static final class TopicExistsException extends Exception {
        @Serial
        private static final long serialVersionUID = 1L;

        TopicExistsException(String name) {
            super("Topic " + name + " exists already");
        }
    }

    private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);

    /// The catalogue's own log never changes its id, for it is found before any id is known.
    private static final UUID OWN_ID = new UUID(0x5375696365000000L, 1);

    /// Ids reserved by one durable write, as in Kafka.
    private static final int PRODUCER_ID_BLOCK = 1000;

    private final LogDirectory directory;
    private final LogConfig defaults;
    private final CatalogueLog log;

    private volatile CatalogueImage image = CatalogueImage.EMPTY;

    private long nextProducerId;
    private long producerIdsReserved;

    private Catalogue(LogDirectory directory, LogConfig defaults, CatalogueLog log) {
        this.directory = directory;
        this.defaults = defaults;
        this.log = log;
    }

    /// Reads the catalogue of a data folder, and brings the folder in line with it.
    ///
    /// @param defaults what holds for a topic for which nothing was set
    /// @throws IOException when the catalogue can't be read
    public static Catalogue open(Kernel kernel, LogDirectory directory, LogConfig defaults, InstantSource clock)
            throws IOException {
        PartitionLog own = directory.log(TopicNames.CATALOGUE, 0).orElse(null);
        if (own == null) {
            own = directory.create(TopicNames.CATALOGUE, 0, OWN_ID, LogConfig.DEFAULT);
        }
        Catalogue catalogue = new Catalogue(directory, defaults, new CatalogueLog(kernel, own, clock));
        catalogue.replay(own);
        return catalogue;
    }

    private synchronized void replay(PartitionLog own) throws IOException {
        Map<UUID, CatalogueRecord.TopicCreated> topics = new LinkedHashMap<>();
        Set<UUID> deleted = new HashSet<>();
        log.replay(record -> {
            switch (record) {
                case CatalogueRecord.TopicCreated created -> topics.put(created.id(), created);
                case CatalogueRecord.TopicDeleted gone -> {
                    topics.remove(gone.id());
                    deleted.add(gone.id());
                }
                case CatalogueRecord.ProducerIdsReserved reserved -> producerIdsReserved = reserved.end();
            }
        });
        nextProducerId = producerIdsReserved;
        for (PartitionLog found : directory.logs()) {
            UUID id = found.topicId().orElse(null);
            if (found == own || (id != null && topics.containsKey(id))) {
                continue;
            }
            if (id != null && deleted.contains(id)) {
                directory.delete(found); // the broker stopped in the middle of it
            } else {
                LOG.warn(
                        "The data folder has {}-{}, which the catalogue does not know; it is left alone",
                        found.topic(),
                        found.partition());
            }
        }
        CatalogueImage next = CatalogueImage.EMPTY;
        for (CatalogueRecord.TopicCreated created : topics.values()) {
            next = next.with(open(created));
        }
        image = next;
    }

    /// The topic with its partitions' logs, made where they are missing.
    private Topic open(CatalogueRecord.TopicCreated created) throws IOException {
        LogConfig config = TopicKeys.topicConfig(defaults, created.configs());
        List<Partition> partitions = new ArrayList<>(created.partitions());
        for (int i = 0; i < created.partitions(); i++) {
            partitions.add(new Partition(i, open(created, i, config)));
        }
        return new Topic(created.id(), created.name(), List.copyOf(partitions), Map.copyOf(created.configs()));
    }

    private PartitionLog open(CatalogueRecord.TopicCreated created, int partition, LogConfig config)
            throws IOException {
        Optional<PartitionLog> found = directory.log(created.name(), partition);
        if (found.isEmpty()) {
            return directory.create(created.name(), partition, created.id(), config);
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
        existing.configure(config);
        return existing;
    }

    /// All topics as they are now.
    public CatalogueImage image() {
        return image;
    }

    /// Makes a topic.
    ///
    /// @param configs checked by [TopicKeys#topicConfig] before
    /// @throws TopicExistsException when there is one of that name
    /// @throws IOException          when it could not be stored; there is then no such topic
    public synchronized Topic create(String name, int partitions, Map<String, String> configs)
            throws TopicExistsException, IOException {
        Optional<String> problem = TopicNames.problem(name);
        if (problem.isPresent()) {
            throw new IllegalArgumentException(problem.get());
        }
        if (image.topic(name) != null) {
            throw new TopicExistsException(name);
        }
        var created = new CatalogueRecord.TopicCreated(UUID.randomUUID(), name, partitions, configs);
        log.append(created);
        Topic topic;
        try {
            topic = open(created);
        } catch (IOException e) {
            // Said, but not done: take it back, so that the name is free once the disk has room again.
            log.append(new CatalogueRecord.TopicDeleted(created.id()));
            deleteFolders(name, partitions, created.id());
            throw e;
        }
        image = image.with(topic);
        LOG.info("Topic {} made with {} partitions", name, partitions);
        return topic;
    }

    /// Deletes a topic and its records. Fetches under way end with what they have.
    ///
    /// @return false when there is no such topic
    /// @throws IOException when it could not be stored; the topic is then still there
    public synchronized boolean delete(Topic topic) throws IOException {
        if (image.topic(topic.id()) == null) {
            return false;
        }
        log.append(new CatalogueRecord.TopicDeleted(topic.id()));
        image = image.without(topic);
        topic.partitions().forEach(Partition::wakeAll);
        deleteFolders(topic.name(), topic.partitions().size(), topic.id());
        LOG.info("Topic {} deleted", topic.name());
        return true;
    }

    private void deleteFolders(String name, int partitions, UUID id) {
        for (int i = 0; i < partitions; i++) {
            @Nullable PartitionLog partitionLog = directory.log(name, i).orElse(null);
            if (partitionLog != null
                    && partitionLog.topicId().filter(id::equals).isPresent()) {
                try {
                    directory.delete(partitionLog);
                } catch (IOException e) {
                    LOG.warn("The folder of {}-{} could not be removed; the next start tries again", name, i, e);
                }
            }
        }
    }

    /// A producer id that was never given out before, whatever crashed meanwhile.
    ///
    /// @throws IOException when a new block of ids could not be reserved
    public synchronized long nextProducerId() throws IOException {
        if (nextProducerId == producerIdsReserved) {
            long end = producerIdsReserved + PRODUCER_ID_BLOCK;
            log.append(new CatalogueRecord.ProducerIdsReserved(end));
            producerIdsReserved = end;
        }
        return nextProducerId++;
    }
}
