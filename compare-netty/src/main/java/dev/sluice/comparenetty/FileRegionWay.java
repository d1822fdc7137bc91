package dev.sluice.comparenetty;

import dev.sluice.cli.compare.Cost;
import dev.sluice.cli.compare.Direction;
import dev.sluice.cli.compare.Job;
import dev.sluice.cli.compare.Meter;
import dev.sluice.cli.compare.Unavailable;
import dev.sluice.cli.compare.Way;
import dev.sluice.io.transfer.CopyModel;
import dev.sluice.io.transfer.CopyModel.Circumstances;
import dev.sluice.io.transfer.CopyModel.Hop;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Figure.Derived;
import dev.sluice.io.transfer.Hold;
import dev.sluice.io.transfer.Method;
import dev.sluice.io.transfer.NetworkPath;
import dev.sluice.netty.SpanFile;
import dev.sluice.netty.SpanRegion;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// File regions of a piece's length, one after the other, on one event loop thread: the next is written when Netty says
/// that the one before was.
record FileRegionWay(Transport transport) implements Way {
    /// Its io_uring transport splices through a pipe of the usual size.
    private static final int PIPE_BYTES = 64 << 10;

    /// Which native transport.
    enum Transport {
        EPOLL("FileRegion, epoll", EpollSocketChannel.class),
        IO_URING("FileRegion, io_uring", IoUringSocketChannel.class);

        private final String label;
        private final Class<? extends SocketChannel> channel;

        Transport(String label, Class<? extends SocketChannel> channel) {
            this.label = label;
            this.channel = channel;
        }

        private @Nullable Throwable missing() {
            return switch (this) {
                case EPOLL -> Epoll.unavailabilityCause();
                case IO_URING -> IoUring.unavailabilityCause();
            };
        }

        private IoHandlerFactory handlers() {
            return switch (this) {
                case EPOLL -> EpollIoHandler.newFactory();
                case IO_URING -> IoUringIoHandler.newFactory();
            };
        }
    }

    @Override
    public Direction direction() {
        return Direction.FILE_TO_SOCKET;
    }

    @Override
    public Family family() {
        return Family.NETTY;
    }

    @Override
    public String name() {
        return transport.label;
    }

    @Override
    public boolean hasPieces() {
        return true;
    }

    @Override
    public Cost move(Job job, Meter meter) throws IOException {
        Throwable missing = transport.missing();
        if (missing != null) {
            throw new Unavailable(String.valueOf(missing.getMessage()), missing);
        }
        if (transport == Transport.IO_URING && !SpanRegion.isWithinIoUring(job.position(), job.lengthBytes())) {
            throw new Unavailable("Netty cuts a region's position to 32 bits here: only the first 2 GiB of a file");
        }
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(1, transport.handlers());
        try (Endpoint.File source = Endpoint.openSource(
                        job.kernel(), job.source(), job.kernel().account());
                SpanFile file = SpanFile.of(source.descriptor())) {
            // The socket is made on this thread, so it is in this thread's network.
            Channel channel = new Bootstrap()
                    .group(group)
                    .channel(transport.channel)
                    .handler(new ChannelInboundHandlerAdapter())
                    .connect(job.peer())
                    .sync()
                    .channel();
            meter.start();
            ChannelPromise all = channel.newPromise();
            channel.eventLoop().execute(() -> send(channel, file, job, 0, all));
            all.sync();
            meter.stop();
            channel.close().sync();
            return cost(job);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    private static void send(Channel to, SpanFile file, Job job, long done, ChannelPromise all) {
        if (done == job.lengthBytes()) {
            all.setSuccess();
            return;
        }
        long length = Math.min(job.pieceBytes(), job.lengthBytes() - done);
        to.writeAndFlush(file.region(job.position() + done, length, Hold.NONE)).addListener((ChannelFuture sent) -> {
            if (sent.isSuccess()) {
                // Not from within the listener: a file of many pieces would nest them.
                to.eventLoop().execute(() -> send(to, file, job, done + length, all));
            } else {
                all.setFailure(sent.cause());
            }
        });
    }

    private Cost cost(Job job) {
        Method like = transport == Transport.EPOLL ? Method.SENDFILE : Method.SPLICE;
        List<Hop> hops = CopyModel.hops(
                like,
                new Circumstances(
                        Endpoint.Kind.FILE,
                        Endpoint.Kind.SOCKET,
                        job.cachedShare(),
                        NetworkPath.UNKNOWN,
                        job.path(),
                        0,
                        1));
        double regions = Math.ceilDiv(job.lengthBytes(), job.pieceBytes());
        double pipesFull = regions * Math.ceilDiv(job.pieceBytes(), PIPE_BYTES);
        double calls = transport == Transport.EPOLL ? regions : 4 * pipesFull;
        String seen = transport == Transport.EPOLL
                ? "a sendfile each region; what a full socket adds (epoll_wait, sendfile again) is not in it"
                : "four io_uring_enter for each pipe full of 64 KiB, as seen with strace on Netty 4.2.18";
        String basis = "CopyModel of " + like.label();
        return new Cost(
                new Derived("system calls", calls, "calls", seen),
                new Derived("mode switches", 2 * calls, "switches", "two for each system call"),
                new Derived("CPU copies", CopyModel.cpuCopies(hops), "copies/byte", basis),
                new Derived("DMA copies", CopyModel.dmaCopies(hops), "copies/byte", basis),
                "");
    }
}
