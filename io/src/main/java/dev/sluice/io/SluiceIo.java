package dev.sluice.io;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.Endpoint;
import dev.sluice.io.transfer.Transfer;
import dev.sluice.io.transfer.TransferAccount;
import dev.sluice.io.transfer.TransferException;
import dev.sluice.io.transfer.TransferOptions;
import dev.sluice.io.transfer.Transfers;
import dev.sluice.io.view.MappedFile;
import java.io.IOException;
import java.nio.file.Path;

/// The library's front door: moves bytes between files, channels and memory by the cheapest way that the kernel, the
/// file systems and the interfaces at hand offer, and says what it cost.
///
/// ```java
/// try (SluiceIo io = new SluiceIo()) {
///     TransferAccount account = io.move(End.file(Path.of("big.iso")), End.of(socketChannel));
///     System.out.println(account);
/// }
/// ```
///
/// Make one and keep it: it pools pipes and buffers, and remembers what the system refused. Thread-safe; a move runs on
/// its caller's thread and waits there, so call it on a platform thread (a virtual one would pin its carrier). What is
/// below it is public too: `transfer` for steps on an event loop, `view` for mapped files, `seal` for encryption,
/// `proxy`, `direct`, `async`, `cache`, `buffer`.
public final class SluiceIo implements AutoCloseable {
    private final Kernel kernel;
    private final Transfers transfers;

    /// With a kernel of its own that lets every call through.
    public SluiceIo() {
        this(new Kernel());
    }

    /// @param kernel whose gate sees every call, and whose account counts those on no descriptor of ours
    public SluiceIo(Kernel kernel) {
        this.kernel = kernel;
        this.transfers = new Transfers(kernel);
    }

    /// Moves all that the source gives: to the end of a file, of a socket's stream, of memory.
    ///
    /// @return what it cost; [TransferAccount#deliveredBytes] is how much it was
    /// @throws IOException when an end can't be opened, or as below
    public TransferAccount move(End source, End sink) throws IOException {
        return move(source, sink, Transfer.UNTIL_END, TransferOptions.DEFAULT);
    }

    /// Moves bytes, with limits, a listener for progress, a cancellation, or a method of the caller's choice.
    ///
    /// @param lengthBytes how many, or [Transfer#UNTIL_END]
    /// @throws TransferException when not all could be moved: it says why, and how many bytes the sink has taken.
    ///                           The positions of channels and buffers are advanced by those
    /// @throws IOException       when an end can't be opened
    public TransferAccount move(End source, End sink, long lengthBytes, TransferOptions options) throws IOException {
        long delivered = 0;
        boolean isInFlight = false;
        Endpoint from = source.open(kernel, kernel.account(), false);
        try (Endpoint to = sink.open(kernel, kernel.account(), true);
                Transfer transfer = transfers.begin(from, to, lengthBytes, options)) {
            try {
                transfer.run();
                return transfer.account();
            } finally {
                delivered = transfer.deliveredBytes();
                isInFlight = transfer.inFlightBytes() > 0;
            }
        } finally {
            // Memory that the kernel may still read isn't given back to be used for something else.
            if (!isInFlight || !(from instanceof Endpoint.Memory)) {
                from.close();
            }
            source.moved(delivered);
            sink.moved(delivered);
        }
    }

    /// Maps a file for access that survives its truncation.
    public MappedFile map(Path path, MappedFile.Mode mode) throws IOException {
        return MappedFile.open(kernel, path, mode, kernel.account());
    }

    /// What the rest of the library is handed.
    public Kernel kernel() {
        return kernel;
    }

    /// Frees pooled pipes and buffers. Moves under way keep theirs.
    @Override
    public void close() {
        transfers.close();
    }
}
