package dev.sluice.testbase;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/// The test starts these programs; it is skipped, and says so, when one of them is not on the `PATH`.
///
/// A program named here belongs into `bin/lib/test-packages`, so that `bin/verify` can install it.
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD})
@ExtendWith(ProgramCondition.class)
public @interface RequiresProgram {
    /// Names as typed in a shell, without a folder.
    String[] value();
}
