/// Buffers that two processes share: one writes, the other reads the same pages. See [SharedPool].
@NullMarked
package dev.sluice.io.shared;

import org.jspecify.annotations.NullMarked;
