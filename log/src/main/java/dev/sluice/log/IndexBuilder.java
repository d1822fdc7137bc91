package dev.sluice.log;

import dev.sluice.io.linux.ErrnoException;
import dev.sluice.io.linux.Kernel;
import java.nio.ByteBuffer;
import java.util.Arrays;

/// Makes a segment's indexes anew from its batches, the same that appending makes.
final class IndexBuilder {
    private final long baseOffset;
    private final LogConfig config;
    private final Entries offsets = new Entries();
    private final Entries times = new Entries();

    private int lastIndexedPosition;
    private LargestTimestamp largest;
    private long lastIndexedTimestamp = BatchView.NO_TIMESTAMP;

    IndexBuilder(long baseOffset, LogConfig config) {
        this.baseOffset = baseOffset;
        this.config = config;
        this.largest = LargestTimestamp.none(baseOffset);
    }

    /// Takes the next batch.
    void batch(BatchView header, int position) {
        if (header.maxTimestamp() > largest.timestampMs()) {
            largest = new LargestTimestamp(header.maxTimestamp(), header.lastOffset());
        }
        if (position - lastIndexedPosition > config.indexIntervalBytes()) {
            if (offsets.count < IndexFormat.OFFSET.capacity(config.indexBytes())) {
                offsets.room(IndexFormat.OFFSET.entryBytes)
                        .putInt((int) (header.lastOffset() - baseOffset))
                        .putInt(position);
            }
            if (times.count < IndexFormat.TIME.fullAt(IndexFormat.TIME.capacity(config.indexBytes()))) {
                time();
            }
            lastIndexedPosition = position;
        }
    }

    private void time() {
        if (largest.timestampMs() > lastIndexedTimestamp) {
            times.room(IndexFormat.TIME.entryBytes)
                    .putLong(largest.timestampMs())
                    .putInt((int) (largest.lastOffset() - baseOffset));
            lastIndexedTimestamp = largest.timestampMs();
        }
    }

    /// Writes both index files, the last entry of the time index too.
    void write(Kernel kernel, SegmentFiles files) throws ErrnoException {
        time();
        SmallFiles.write(kernel, files.offsetIndex(), offsets.bytes(), false);
        SmallFiles.write(kernel, files.timeIndex(), times.bytes(), false);
    }

    int offsetEntries() {
        return offsets.count;
    }

    int timeEntries() {
        return times.count;
    }

    /// Bytes that grow: a quarter per mille of the segment's, so the heap will do.
    private static final class Entries {
        private ByteBuffer content = ByteBuffer.allocate(1024);
        private int count;

        ByteBuffer room(int entryBytes) {
            if (content.remaining() < entryBytes) {
                int used = content.position();
                content = ByteBuffer.wrap(Arrays.copyOf(content.array(), content.capacity() * 2))
                        .position(used);
            }
            count++;
            return content;
        }

        byte[] bytes() {
            return Arrays.copyOf(content.array(), content.position());
        }
    }
}
