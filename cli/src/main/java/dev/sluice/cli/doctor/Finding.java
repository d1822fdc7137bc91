package dev.sluice.cli.doctor;

import java.util.Locale;

/// One line of the doctor's.
///
/// @param what  what was looked at
/// @param found what is there
/// @param grade how good that is
/// @param todo  what to do, or what it means where nothing is to be done
public record Finding(String what, String found, Grade grade, String todo) {
    /// How good a finding is for this product.
    public enum Grade {
        /// As it should be.
        GOOD,
        /// Not offered here, and something else is used instead.
        ABSENT,
        /// Will cost something, or break something under load: change it.
        CHANGE,
        /// Couldn't be found out.
        UNKNOWN;

        /// `good`
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    static Finding good(String what, String found, String todo) {
        return new Finding(what, found, Grade.GOOD, todo);
    }

    static Finding absent(String what, String found, String todo) {
        return new Finding(what, found, Grade.ABSENT, todo);
    }

    static Finding change(String what, String found, String todo) {
        return new Finding(what, found, Grade.CHANGE, todo);
    }

    static Finding unknown(String what, String found, String todo) {
        return new Finding(what, found, Grade.UNKNOWN, todo);
    }
}
