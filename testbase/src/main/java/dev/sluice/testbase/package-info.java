/// What the tests of every module share. Depends on JUnit and Awaitility alone, so that io's own tests can use it too.
@NullMarked
package dev.sluice.testbase;

import org.jspecify.annotations.NullMarked;
