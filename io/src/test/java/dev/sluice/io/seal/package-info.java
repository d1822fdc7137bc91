@NullMarked
package dev.sluice.io.seal;

import org.jspecify.annotations.NullMarked;
