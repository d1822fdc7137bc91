package dev.sluice.bench.transfer;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.DefaultFileRegion;
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
import java.net.InetAddress;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Netty's file regions, one of a chunk's length after the other, on one event loop thread. The work is that thread's,
/// so only the process's processor time tells what it cost.
final class NettyWay implements Way {
    private final FileChannel file;
    private final EventLoopGroup group;
    private final Class<? extends SocketChannel> type;
    private @Nullable Channel channel;

    private NettyWay(Path path, IoHandlerFactory handlers, Class<? extends SocketChannel> type) throws IOException {
        this.file = FileChannel.open(path);
        this.group = new MultiThreadIoEventLoopGroup(1, handlers);
        this.type = type;
    }

    /// @throws IOException when its native transport can't be used here
    static NettyWay epoll(Path path) throws IOException {
        require(Epoll.unavailabilityCause());
        return new NettyWay(path, EpollIoHandler.newFactory(), EpollSocketChannel.class);
    }

    /// @throws IOException when its native transport can't be used here
    static NettyWay ioUring(Path path) throws IOException {
        require(IoUring.unavailabilityCause());
        return new NettyWay(path, IoUringIoHandler.newFactory(), IoUringSocketChannel.class);
    }

    private static void require(@Nullable Throwable cause) throws IOException {
        if (cause != null) {
            throw new IOException(String.valueOf(cause.getMessage()), cause);
        }
    }

    @Override
    public void connect(int port) throws InterruptedException {
        channel = new Bootstrap()
                .group(group)
                .channel(type)
                .option(ChannelOption.TCP_NODELAY, false)
                .handler(new ChannelInboundHandlerAdapter())
                .connect(InetAddress.getLoopbackAddress(), port)
                .sync()
                .channel();
    }

    @Override
    public void send(int chunkBytes) throws IOException, InterruptedException {
        long size = file.size();
        Channel to = connected();
        ChannelPromise all = to.newPromise();
        to.eventLoop().execute(() -> sendFrom(to, 0, size, chunkBytes, all));
        all.sync();
    }

    private void sendFrom(Channel to, long at, long size, int chunkBytes, ChannelPromise all) {
        if (at == size) {
            all.setSuccess();
            return;
        }
        long length = Math.min(chunkBytes, size - at);
        to.writeAndFlush(new KeptOpen(file, at, length)).addListener((ChannelFuture sent) -> {
            if (sent.isSuccess()) {
                sendFrom(to, at + length, size, chunkBytes, all);
            } else {
                all.setFailure(sent.cause());
            }
        });
    }

    /// A region that leaves the file open for the next one.
    private static final class KeptOpen extends DefaultFileRegion {
        KeptOpen(FileChannel file, long position, long count) {
            super(file, position, count);
        }

        @Override
        protected void deallocate() {
            // the file is the way's
        }
    }

    @Override
    public void disconnect() throws InterruptedException {
        SocketChannel ending = (SocketChannel) connected();
        ending.shutdownOutput().sync();
        ending.closeFuture().sync(); // closed when the receiver's end was read
        channel = null;
    }

    private Channel connected() {
        if (channel == null) {
            throw new IllegalStateException("not connected");
        }
        return channel;
    }

    @Override
    public void close() throws IOException {
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly();
        file.close();
    }
}
