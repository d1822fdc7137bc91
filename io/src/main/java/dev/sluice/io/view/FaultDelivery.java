package dev.sluice.io.view;

/// Makes the JVM throw now what it owes this thread.
///
/// When Java code touches a mapped page that isn't there, HotSpot's signal handler goes on behind the access and notes
/// that the thread is owed an [InternalError]; it is thrown at the thread's next safepoint poll. In the interpreter
/// that is soon. In code that C2 has inlined there may be no poll before the method that made the access has returned,
/// and the error comes up in somebody who never heard of the map. Native transitions don't deliver it either
/// (`check_special_condition_for_native_trans` in runtime/javaThread.cpp leaves it out). The back edge of a loop that
/// isn't counted has a poll in the interpreter, in C1 and in C2.
public final class FaultDelivery {
    // Read at each turn, so that C2 can't know how often the loop turns: it leaves the poll out of loops that it can
    // count, and takes an object that doesn't leave its method, volatile fields and all, for a set of local variables.
    // Written once, below.
    private static volatile int turns = 2;

    private FaultDelivery() {}

    /// Throws the InternalError that is pending, if one is. Costs a few ns.
    public static void now() {
        for (int turn = 0; turn < turns; turn++) {
            Thread.onSpinWait();
        }
    }

    /// Takes the pending InternalError, and says whether there was one.
    public static boolean isOwed() {
        try {
            now();
            return false;
        } catch (InternalError e) {
            if (isFault(e)) {
                return true;
            }
            throw e;
        }
    }

    /// Whether an error is the one that HotSpot throws for a page that isn't there.
    public static boolean isFault(InternalError error) {
        String message = error.getMessage();
        return message != null && message.contains("unsafe memory access");
    }
}
