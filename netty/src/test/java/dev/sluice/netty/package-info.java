@NullUnmarked
package dev.sluice.netty;

import org.jspecify.annotations.NullUnmarked;
