/// Netty's ways for `sluice compare`.
@NullMarked
package dev.sluice.comparenetty;

import org.jspecify.annotations.NullMarked;
