@NullMarked
package dev.sluice.systemtest;

import org.jspecify.annotations.NullMarked;
