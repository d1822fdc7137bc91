package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Call;
import dev.sluice.io.linux.Kernel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pages that are brought in by one call a window: the same bytes, and no call more than that.
@Timeout(180)
class PrefaultTest {
    @TempDir
    private Path folder;

    private final Kernel kernel = new Kernel();

    private long madvises(TransferOptions options) throws Exception {
        byte[] content = new byte[300_000];
        new Random(2).nextBytes(content);
        Path from = Files.write(folder.resolve("from"), content);
        Path to = folder.resolve("to");
        long before = kernel.account().count(Call.MADVISE).calls();
        try (Transfers transfers = new Transfers(kernel);
                Endpoint.File source = Endpoint.openSource(kernel, from, kernel.account());
                Endpoint.File sink = Endpoint.openSink(kernel, to, true, kernel.account());
                Transfer transfer = transfers.begin(source, sink, content.length, options.only(Method.MMAP_WRITE))) {
            transfer.run();
        }
        assertThat(Files.mismatch(from, to)).isEqualTo(-1);
        return kernel.account().count(Call.MADVISE).calls() - before;
    }

    @Test
    void aWindowIsBroughtInByOneCallWhereThatIsAskedFor() throws Exception {
        assertThat(madvises(TransferOptions.DEFAULT)).isZero();
        assertThat(madvises(TransferOptions.DEFAULT.withPrefault())).isOne();
    }
}
