/// Reads and writes that run while their caller does something else: queues of file operations, on io_uring or on a few
/// threads, and the pool of pinned buffers that they move bytes through.
@NullMarked
package dev.sluice.io.async;

import org.jspecify.annotations.NullMarked;
