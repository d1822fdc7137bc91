package dev.sluice.io.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.io.linux.Kernel;
import dev.sluice.io.transfer.TransferException.Failure;
import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A raw block device as a source: it has no length that statx tells.
@Tag("root")
@RequiresProgram("losetup")
class BlockDeviceTest {
    private static final long LENGTH = 3 << 20;

    @TempDir
    Path folder;

    private final Kernel kernel = new Kernel();
    private String device = "";

    @BeforeEach
    void attach() throws Exception {
        Rig.write(folder.resolve("image"), 0, LENGTH);
        Commands.assume("losetup", "-f");
        device = Commands.run("losetup", "-f", "--show", folder.resolve("image").toString());
    }

    @AfterEach
    void detach() throws Exception {
        if (!device.isEmpty()) {
            Commands.run("losetup", "-d", device);
        }
    }

    private long copied(Method method, long length) throws Exception {
        Path copy = folder.resolve("copy-" + method);
        try (Transfers transfers = new Transfers(kernel);
                Endpoint.File source = Endpoint.openSource(kernel, Path.of(device), kernel.account());
                Endpoint.File sink = Endpoint.openSink(kernel, copy, true, kernel.account());
                Transfer transfer = transfers.begin(source, sink, length, TransferOptions.DEFAULT.preferring(method))) {
            assertThat(Endpoint.of(kernel, source.descriptor(), 0)).isEqualTo(source);
            assertThat(transfer.run()).as("%s", method).isEqualTo(LENGTH);
        }
        return Rig.verified(copy, 0, LENGTH + 1);
    }

    @Test
    void everyMethodCopiesARangeOfIt() throws Exception {
        for (Method method : Method.serving(Endpoint.Kind.FILE, Endpoint.Kind.FILE)) {
            assertThat(copied(method, LENGTH)).as("%s", method).isEqualTo(LENGTH);
        }
    }

    @Test
    void everyMethodCopiesItToItsEnd() throws Exception {
        for (Method method : Method.serving(Endpoint.Kind.FILE, Endpoint.Kind.FILE)) {
            assertThat(copied(method, Transfer.UNTIL_END)).as("%s", method).isEqualTo(LENGTH);
        }
    }

    @Test
    void aRangeThatReachesBehindItsEndIsToldWhereItEnds() throws Exception {
        try (Transfers transfers = new Transfers(kernel);
                Endpoint.File source = Endpoint.openSource(kernel, Path.of(device), kernel.account());
                Endpoint.File sink = Endpoint.openSink(kernel, folder.resolve("copy"), true, kernel.account());
                Transfer transfer = transfers.begin(source, sink, 2 * LENGTH, TransferOptions.DEFAULT)) {
            TransferException thrown = catchThrowableOfType(TransferException.class, transfer::run);
            assertThat(thrown.failure()).isEqualTo(Failure.SOURCE_SHRANK);
            assertThat(thrown).hasMessageContaining(device + " ends at byte " + LENGTH);
        }
    }
}
