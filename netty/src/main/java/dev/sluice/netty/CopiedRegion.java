package dev.sluice.netty;

import dev.sluice.io.transfer.Hold;
import io.netty.channel.FileRegion;
import io.netty.util.AbstractReferenceCounted;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/// A range of a file that isn't a DefaultFileRegion, so that a native transport asks for its bytes instead of its
/// descriptor. Used where it would get the descriptor's position wrong.
final class CopiedRegion extends AbstractReferenceCounted implements FileRegion {
    private final SpanFile file;
    private final FileChannel channel;
    private final long position;
    private final long count;
    private final Hold hold;
    private long transferred;

    CopiedRegion(SpanFile file, FileChannel channel, long position, long count, Hold hold) {
        this.file = file;
        this.channel = channel;
        this.position = position;
        this.count = count;
        this.hold = hold;
    }

    @Override
    public long position() {
        return position;
    }

    @Override
    @Deprecated
    public long transfered() {
        return transferred;
    }

    @Override
    public long transferred() {
        return transferred;
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public long transferTo(WritableByteChannel target, long from) throws IOException {
        if (from == count) {
            return 0;
        }
        long n = channel.transferTo(position + from, count - from, target);
        if (n > 0) {
            transferred += n;
        } else if (channel.size() < position + count) {
            throw new IOException(file.name() + " ends at byte " + channel.size() + ", expected at least "
                    + (position + count) + "; was it truncated meanwhile?");
        }
        return n;
    }

    @Override
    protected void deallocate() {
        file.release();
        hold.release();
    }

    @Override
    public FileRegion retain() {
        super.retain();
        return this;
    }

    @Override
    public FileRegion retain(int increment) {
        super.retain(increment);
        return this;
    }

    @Override
    public FileRegion touch() {
        return this;
    }

    @Override
    public FileRegion touch(Object hint) {
        return this;
    }
}
