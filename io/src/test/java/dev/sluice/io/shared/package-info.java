@NullMarked
package dev.sluice.io.shared;

import org.jspecify.annotations.NullMarked;
