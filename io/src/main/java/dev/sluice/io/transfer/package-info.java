/// Moving bytes between files, sockets and memory.
@NullMarked
package dev.sluice.io.transfer;

import org.jspecify.annotations.NullMarked;
