/// Direct I/O measured: `DirectBench` beside fio on the same file, `ScanBench` the block cache beside the page cache.
@NullMarked
package dev.sluice.bench.direct;

import org.jspecify.annotations.NullMarked;
