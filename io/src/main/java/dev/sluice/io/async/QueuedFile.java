package dev.sluice.io.async;

import dev.sluice.io.linux.Descriptor;

/// A file as a [FileQueue] knows it. Made by [FileQueue#attach], owned by the queue's thread.
public final class QueuedFile {
    static final int UNREGISTERED = -1;

    private final Descriptor descriptor;
    private final int granularity;
    private final int slot;
    int pending;

    QueuedFile(Descriptor descriptor, int granularity, int slot) {
        this.descriptor = descriptor;
        this.granularity = granularity;
        this.slot = slot;
    }

    /// Borrowed from whoever attached the file.
    public Descriptor descriptor() {
        return descriptor;
    }

    /// What lengths and positions are multiples of: the alignment of an O_DIRECT descriptor in bytes, 1 for others.
    public int granularity() {
        return granularity;
    }

    /// Operations on this file that are not over.
    public int pending() {
        return pending;
    }

    /// Whether the kernel keeps the open file for the queue, until its last operation is done and whatever becomes
    /// of this process. A lock held by such a descriptor (F_OFD_SETLK) is then not free before the last write of a
    /// killed process has reached the device or failed.
    public boolean isRegistered() {
        return slot != UNREGISTERED;
    }

    int slot() {
        return slot;
    }

    @Override
    public String toString() {
        return descriptor.name();
    }
}
