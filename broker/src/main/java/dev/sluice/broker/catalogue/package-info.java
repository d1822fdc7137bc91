/// Which topics there are: one durable log of changes, and immutable images of their sum.
@NullMarked
package dev.sluice.broker.catalogue;

import org.jspecify.annotations.NullMarked;
