package dev.sluice.log;

import dev.sluice.io.linux.Account;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// An account that is made when the first call is to be counted: 10,000 partitions at rest have none, which saves 1
/// KiB each.
///
/// Thread-safe.
final class LazyAccount implements Supplier<Account> {
    private final Supplier<Account> parent;
    private final String name;
    private @Nullable Account account;

    LazyAccount(Supplier<Account> parent, String name) {
        this.parent = parent;
        this.name = name;
    }

    @Override
    public synchronized Account get() {
        Account made = account;
        if (made == null) {
            made = parent.get().child(name);
            account = made;
        }
        return made;
    }

    /// Moves the figures into the parent's own.
    synchronized void close() {
        if (account != null) {
            account.close();
        }
    }
}
