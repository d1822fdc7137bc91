package dev.sluice.io.transfer;

import dev.sluice.io.linux.Account;
import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// A process that makes transfers by every method a number of times and then says what its accounts have counted: what
/// [StraceTest] holds against strace, and [FileSizeLimitTest] runs under a limit.
public final class CountedMain {
    private CountedMain() {}

    /// @param arguments a folder; `every` and how many times, or `limited` for one copy that prints its failure
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        if (arguments[1].equals("limited")) {
            limited(folder);
            return;
        }
        Map<Call, Account.Count> counts = new EnumMap<>(Call.class);
        for (int round = Integer.parseInt(arguments[2]); round > 0; round--) {
            for (EndType source : List.of(EndType.FILE, EndType.TCP, EndType.MEMORY, EndType.PIECES)) {
                for (EndType sink : List.of(EndType.FILE, EndType.TCP, EndType.PIPE)) {
                    for (Method method : Method.serving(source.kind, sink.kind)) {
                        if (source == EndType.PIECES && method == Method.ZEROCOPY_SEND) {
                            continue; // not from the heap
                        }
                        transfer(folder, source, sink, method, counts);
                    }
                }
            }
        }
        for (Call call : Call.values()) {
            Account.Count count = counts.getOrDefault(call, new Account.Count(0, 0, 0));
            System.out.println(call.kernelName() + " " + count.calls() + " " + count.errors());
        }
    }

    private static void transfer(
            Path folder, EndType source, EndType sink, Method method, Map<Call, Account.Count> counts)
            throws Exception {
        Kernel kernel = new Kernel();
        long length = 700_001;
        Kernel other;
        try (Transfers transfers = new Transfers(kernel);
                Rig rig = new Rig(kernel, folder, source, sink, false, length, 0, 0)) {
            other = rig.other;
            try (Transfer transfer = rig.begin(transfers, length, TransferOptions.DEFAULT.preferring(method))) {
                rig.feed(length, false);
                rig.collect();
                transfer.run();
            }
        }
        add(kernel, counts);
        add(other, counts);
    }

    private static void add(Kernel kernel, Map<Call, Account.Count> counts) {
        kernel.account()
                .snapshot()
                .forEach((call, count) -> counts.merge(
                        call,
                        count,
                        (a, b) -> new Account.Count(
                                a.calls() + b.calls(), a.errors() + b.errors(), a.bytes() + b.bytes())));
    }

    private static void limited(Path folder) throws Exception {
        Kernel kernel = new Kernel();
        for (Method method : Method.serving(Endpoint.Kind.FILE, Endpoint.Kind.FILE)) {
            if (method == Method.REFLINK) {
                continue;
            }
            try (Transfers transfers = new Transfers(kernel);
                    Endpoint.File source = Endpoint.openSource(kernel, folder.resolve("source"), kernel.account());
                    Endpoint.File sink =
                            Endpoint.openSink(kernel, folder.resolve("sink-" + method), true, kernel.account());
                    Transfer transfer =
                            transfers.begin(source, sink, Transfer.UNTIL_END, TransferOptions.DEFAULT.only(method))) {
                transfer.run();
                System.out.println(method + " DONE");
            } catch (TransferException e) {
                System.out.println(method + " " + e.failure() + " " + e.errno() + " " + e.deliveredBytes());
            }
        }
    }
}
