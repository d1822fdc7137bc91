@NullMarked
package dev.sluice.io.loop;

import org.jspecify.annotations.NullMarked;
