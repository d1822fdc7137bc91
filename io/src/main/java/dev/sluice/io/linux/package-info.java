/// The thin layer of native calls: one class a kernel facility. Results are values ≥ 0 or −errno.
@NullMarked
package dev.sluice.io.linux;

import org.jspecify.annotations.NullMarked;
