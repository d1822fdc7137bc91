package dev.sluice.netty;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// A Netty channel and, at its other side, a plain socket.
final class Wire implements AutoCloseable {
    final Channel channel;
    final Socket peer;
    private final EventLoopGroup group;

    Wire(Transport transport, ChannelHandler... handlers) throws Exception {
        group = new MultiThreadIoEventLoopGroup(1, transport.handlers());
        try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            channel = new Bootstrap()
                    .group(group)
                    .channel(transport.channel)
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel made) {
                            made.pipeline().addLast(handlers);
                        }
                    })
                    .connect(listener.getLocalSocketAddress())
                    .sync()
                    .channel();
            peer = listener.accept();
        }
    }

    /// What comes, until the channel is closed.
    CompletableFuture<byte[]> collect() {
        CompletableFuture<byte[]> all = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                all.complete(peer.getInputStream().readAllBytes());
            } catch (IOException e) {
                all.completeExceptionally(e);
            }
        });
        return all;
    }

    /// Closes the channel when what was written has gone, and answers what came.
    byte[] received(CompletableFuture<byte[]> all) throws InterruptedException, ExecutionException {
        channel.close().sync();
        return all.get();
    }

    @Override
    public void close() throws Exception {
        channel.close().sync();
        peer.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }
}
