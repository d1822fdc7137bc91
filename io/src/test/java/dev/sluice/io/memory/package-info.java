@NullMarked
package dev.sluice.io.memory;

import org.jspecify.annotations.NullMarked;
