/// Buffers: memory of any kind with reference counts, that is sliced, shared and composed without being copied.
@NullMarked
package dev.sluice.io.buffer;

import org.jspecify.annotations.NullMarked;
