package dev.sluice.io.transfer;

import java.util.List;

/// Which method a transfer begins with, and why.
///
/// @param method    the choice
/// @param reason    why, in one line
/// @param fallbacks what is tried, in this order, when the system refuses the choice
/// @param ruledOut  methods that serve these ends and weren't chosen, with the reason
public record Plan(Method method, String reason, List<Method> fallbacks, List<RuledOut> ruledOut) {
    /// @param why in one line
    public record RuledOut(Method method, String why) {}

    /// Keeps copies of the lists.
    public Plan {
        fallbacks = List.copyOf(fallbacks);
        ruledOut = List.copyOf(ruledOut);
    }

    /// `sendfile: …`, one line.
    @Override
    public String toString() {
        return method.label() + ": " + reason;
    }
}
