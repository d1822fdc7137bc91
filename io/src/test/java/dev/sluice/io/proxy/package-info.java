@NullMarked
package dev.sluice.io.proxy;

import org.jspecify.annotations.NullMarked;
