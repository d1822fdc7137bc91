@NullUnmarked
package dev.sluice.io.buffer;

import org.jspecify.annotations.NullUnmarked;
