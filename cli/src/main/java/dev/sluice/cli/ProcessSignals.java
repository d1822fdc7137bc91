package dev.sluice.cli;

import java.util.concurrent.atomic.AtomicBoolean;
import sun.misc.Signal;

/// The signals of this process. The JVM's shutdown hooks would not do: they know no second Ctrl-C.
final class ProcessSignals implements Signals {
    @Override
    public void onStop(StopRequest request) {
        AtomicBoolean stopping = new AtomicBoolean();
        for (String name : new String[] {"INT", "TERM", "HUP"}) {
            try {
                Signal.handle(new Signal(name), signal -> deliver(signal, stopping, request));
            } catch (IllegalArgumentException _) {
                // The JVM was started with -Xrs: its user wants signals to end it at once.
                return;
            }
        }
    }

    /// Runs on a thread of its own for each signal, so a second signal is never held up by the first.
    private static void deliver(Signal signal, AtomicBoolean stopping, StopRequest request) {
        int exitCode = ExitCode.ofSignal(signal.getNumber());
        if (stopping.compareAndSet(false, true)) {
            if (!request.stop(exitCode)) {
                Runtime.getRuntime().halt(exitCode);
            }
        } else if (!"HUP".equals(signal.getName())) {
            // A closing terminal sends HUP beside INT; that is no second request.
            Runtime.getRuntime().halt(exitCode);
        }
    }
}
