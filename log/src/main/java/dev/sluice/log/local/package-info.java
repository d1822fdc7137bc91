/// Reading a broker's logs from another process of the same host, in the log's own pages: what programs use, and what
/// both sides speak (`docs/formats/local-reading.md`).
@NullMarked
package dev.sluice.log.local;

import org.jspecify.annotations.NullMarked;
