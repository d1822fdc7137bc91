@NullMarked
package dev.sluice.io.view;

import org.jspecify.annotations.NullMarked;
