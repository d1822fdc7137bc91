/// A block cache for programs that keep their own: reads from memory, writes delayed, the page cache left alone.
@NullMarked
package dev.sluice.io.cache;

import org.jspecify.annotations.NullMarked;
