/// Memory outside the heap: maps with reference counts, receive buffers that grow in place, pools.
@NullMarked
package dev.sluice.io.memory;

import org.jspecify.annotations.NullMarked;
