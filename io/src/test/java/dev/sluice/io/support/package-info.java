/// What the tests of several packages share.
@NullMarked
package dev.sluice.io.support;

import org.jspecify.annotations.NullMarked;
