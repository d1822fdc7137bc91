package dev.sluice.broker.coordinator;

import dev.sluice.broker.catalogue.Catalogue;
import dev.sluice.broker.config.BrokerConfig;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatRequestData;
import org.apache.kafka.common.message.ConsumerGroupHeartbeatResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResultCollection;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupResponseData;
import org.apache.kafka.common.message.ListGroupsRequestData;
import org.apache.kafka.common.message.ListGroupsResponseData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.utils.BufferSupplier;
import org.jspecify.annotations.Nullable;

/// All consumer groups of the broker: what handlers ask, answered by Kafka's coordinator.
///
/// ```
///   IDLE ──prepare──▶ LOADED ──close──▶ CLOSED
///     └────────────────close───────────────▲
/// ```
///
/// Idle costs nothing: no thread, no class of the coordinator, no topic. [#prepare] loads it, which takes the better
/// part of a second and waits for the disk, so it is called off the loops; once [#isPrepared], the questions below only
/// queue something and may be asked on a loop. Their answers come on the coordinator's thread.
///
/// Thread-safe.
public final class Groups {
    private final Kernel kernel;
    private final BrokerConfig config;
    private final Catalogue catalogue;
    private final InstantSource clock;

    // Written under the lock of this; read by any thread.
    private volatile @Nullable RunningCoordinator running;

    // Guarded by this.
    private boolean closed;

    public Groups(Kernel kernel, BrokerConfig config, Catalogue catalogue, InstantSource clock) {
        this.kernel = kernel;
        this.config = config;
        this.catalogue = catalogue;
        this.clock = clock;
    }

    // ---- Life

    /// Whether any group can be known: there is a topic to remember them.
    public boolean mayExist() {
        return OffsetsTopic.exists(catalogue);
    }

    /// Whether the coordinator is loaded and has seen the topics that there are.
    public boolean isPrepared() {
        RunningCoordinator now = running;
        return now != null && now.hasSeen(catalogue.image());
    }

    /// Makes it so. Waits for the disk, and for what is queued.
    ///
    /// @throws IOException when the topic that remembers groups can't be made, or the broker is stopping
    public void prepare() throws IOException {
        RunningCoordinator now = running;
        if (now == null) {
            now = start();
        }
        now.show(catalogue);
    }

    private synchronized RunningCoordinator start() throws IOException {
        if (closed) {
            throw new IOException("the broker is stopping");
        }
        RunningCoordinator now = running;
        if (now == null) {
            now = RunningCoordinator.start(
                    kernel, config, OffsetsTopic.find(catalogue, config.groups()), catalogue, clock);
            running = now;
        }
        return now;
    }

    /// Ends the coordinator; questions under way are answered that there is none here. Closing twice changes
    /// nothing.
    ///
    /// @return whether everything ended in time
    public synchronized boolean close() {
        closed = true;
        RunningCoordinator now = running;
        running = null;
        return now == null || now.stop();
    }

    private RunningCoordinator running() {
        RunningCoordinator now = running;
        if (now == null) {
            throw new IllegalStateException("the group coordinator is not loaded");
        }
        return now;
    }

    // ---- The classic protocol

    public CompletableFuture<JoinGroupResponseData> join(Caller caller, JoinGroupRequestData request) {
        return running().service().joinGroup(caller, request, BufferSupplier.NO_CACHING);
    }

    public CompletableFuture<SyncGroupResponseData> sync(Caller caller, SyncGroupRequestData request) {
        return running().service().syncGroup(caller, request, BufferSupplier.NO_CACHING);
    }

    public CompletableFuture<HeartbeatResponseData> heartbeat(Caller caller, HeartbeatRequestData request) {
        return running().service().heartbeat(caller, request);
    }

    public CompletableFuture<LeaveGroupResponseData> leave(Caller caller, LeaveGroupRequestData request) {
        return running().service().leaveGroup(caller, request);
    }

    // ---- The consumer protocol (KIP-848)

    public CompletableFuture<ConsumerGroupHeartbeatResponseData> consumerHeartbeat(
            Caller caller, ConsumerGroupHeartbeatRequestData request) {
        return running().service().consumerGroupHeartbeat(caller, request);
    }

    // ---- Offsets

    public CompletableFuture<OffsetCommitResponseData> commit(Caller caller, OffsetCommitRequestData request) {
        return running().service().commitOffsets(caller, request, BufferSupplier.NO_CACHING);
    }

    public CompletableFuture<OffsetFetchResponseGroup> committed(
            Caller caller, OffsetFetchRequestGroup group, boolean requireStable) {
        return running().service().fetchOffsets(caller, group, requireStable);
    }

    public CompletableFuture<OffsetDeleteResponseData> deleteOffsets(Caller caller, OffsetDeleteRequestData request) {
        return running().service().deleteOffsets(caller, request, BufferSupplier.NO_CACHING);
    }

    // ---- Administration

    public CompletableFuture<ListGroupsResponseData> list(Caller caller, ListGroupsRequestData request) {
        return running().service().listGroups(caller, request);
    }

    public CompletableFuture<List<DescribeGroupsResponseData.DescribedGroup>> describe(
            Caller caller, List<String> groups) {
        return running().service().describeGroups(caller, groups);
    }

    public CompletableFuture<List<ConsumerGroupDescribeResponseData.DescribedGroup>> describeConsumerGroups(
            Caller caller, List<String> groups) {
        return running().service().consumerGroupDescribe(caller, groups);
    }

    public CompletableFuture<DeletableGroupResultCollection> delete(Caller caller, List<String> groups) {
        return running().service().deleteGroups(caller, groups, BufferSupplier.NO_CACHING);
    }
}
