package dev.sluice.io.support;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Gate;

/// A gate whose plan a test changes as it goes.
public final class SwitchGate implements Gate {
    /// Read by whichever thread makes a call; set by the test's.
    private volatile Gate plan = Gate.OPEN;

    public void set(Gate newPlan) {
        plan = newPlan;
    }

    public void open() {
        plan = Gate.OPEN;
    }

    @Override
    public long admit(Call call, String subject, long position, long lengthBytes) {
        return plan.admit(call, subject, position, lengthBytes);
    }
}
