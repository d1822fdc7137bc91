/// Files and block devices past the page cache: O_DIRECT, at any position and length.
@NullMarked
package dev.sluice.io.direct;

import org.jspecify.annotations.NullMarked;
