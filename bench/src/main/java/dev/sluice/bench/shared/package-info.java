/// Messages between two JVMs: over a shared pool, a UNIX socket, TCP on loopback.
@NullMarked
package dev.sluice.bench.shared;

import org.jspecify.annotations.NullMarked;
