/// For users of Netty 4.2: spans of files and buffers of this library through its channels, without copying their
/// bytes.
///
/// [Outbound] writes [dev.sluice.io.transfer.Span]s and [dev.sluice.io.buffer.Buffer]s; or make a [SpanRegion] or a
/// ByteBuf ([ByteBufs]) and write it yourself. What was written belongs to the channel: its hold, its reference is
/// released once, when the bytes were sent or given up, on the event loop. So memory of a pool that belongs to another
/// thread can't be written. What was received becomes a buffer by [ByteBufs#toBuffer].
///
/// What happens to the bytes on their way from user memory or page cache to the socket, in Netty 4.2.18:
///
/// | written | NIO | epoll | io_uring |
/// |---|---|---|---|
/// | span | sendfile | sendfile | splice, through a pipe of 64 KiB |
/// | span that ends beyond 2 GiB of its file | sendfile | sendfile | copied through user memory |
/// | buffer, native | written from where it lies | likewise | likewise |
/// | buffer, on the heap | copied to native memory | likewise | likewise |
///
/// Limits. Netty's io_uring transport cuts a region's position to 32 bits, and would send bytes from somewhere else; so
/// [Outbound] sends such spans in another way, and the write of such a [SpanRegion] fails there. Netty copies a ByteBuf
/// of more than 1,024 pieces, or with one piece on the heap, as a whole; [Outbound] cuts buffers so that only what lies
/// on the heap is copied, where a ByteBuf from [ByteBufs] is Netty's to treat. A handler that has to see bytes, such as
/// SslHandler, takes no regions of files: read them into a buffer instead. A sendfile or splice waits for the disk when
/// the file's bytes aren't in the page cache, and the event loop or the ring's worker with it.
@NullMarked
package dev.sluice.netty;

import org.jspecify.annotations.NullMarked;
