@NullMarked
package dev.sluice.io.linux;

import org.jspecify.annotations.NullMarked;
