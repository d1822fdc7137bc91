package dev.sluice.io.view;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Files;
import dev.sluice.io.linux.Kernel;
import dev.sluice.io.linux.Leases;
import dev.sluice.io.memory.Mapping;
import dev.sluice.io.view.MappedFile.Mode;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;

/// A process that does with a truncated map, or with a lease, what its argument says; the controls of this package's
/// tests, most of which it doesn't survive. Prints `survived …` if it does.
final class VictimMain {
    static final long LENGTH = 1 << 20;

    private static long sum;

    private VictimMain() {}

    public static void main(String[] arguments) throws Exception {
        Path path = Path.of(arguments[1]);
        Kernel kernel = new Kernel();
        switch (arguments[0]) {
            case "crc" -> new CRC32C().update(truncated(kernel, path).asByteBuffer());
            case "deflate" -> {
                Deflater deflater = new Deflater();
                deflater.setInput(truncated(kernel, path).asByteBuffer());
                deflater.finish();
                deflater.deflate(new byte[1000]);
            }
            case "compare-and-set" ->
                ValueLayout.JAVA_LONG.varHandle().compareAndSet(truncated(kernel, path), LENGTH / 2, 0L, 1L);
            case "mismatch" -> sum += truncated(kernel, path).mismatch(MemorySegment.ofArray(new byte[(int) LENGTH]));
            case "guarded-crc" -> guardedChecksum(kernel, path);
            case "late" -> System.out.println("late " + lateFaults(truncated(kernel, path)));
            case "lease" -> lease(kernel, path, 0);
            case "lease-handled" -> leaseHandled(kernel, path);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        System.out.println("survived " + sum);
    }

    private static MemorySegment truncated(Kernel kernel, Path path) throws Exception {
        Descriptor file =
                kernel.files().open(path, Files.O_RDWR, 0, kernel.account()).orThrow();
        MemorySegment mapped = Mapping.ofFile(kernel, file, 0, LENGTH, true).segment();
        truncate(path, 5000);
        return mapped;
    }

    static void truncate(Path path, long length) throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(length);
        }
    }

    private static void guardedChecksum(Kernel kernel, Path path) throws Exception {
        try (MappedFile mapped = MappedFile.open(kernel, path, Mode.READ, kernel.account())) {
            truncate(path, 5000);
            mapped.update(new CRC32C(), 0, LENGTH);
            System.out.println("not noticed");
        } catch (MappedFileException e) {
            System.out.println(e.why());
        }
    }

    private static boolean tryToRead(MemorySegment mapped, long at) {
        try {
            sum += mapped.get(ValueLayout.JAVA_LONG, at);
            return true;
        } catch (InternalError e) {
            return false;
        }
    }

    /// How many faults came up outside the try that surrounds the access, once C2 has compiled it.
    private static int lateFaults(MemorySegment mapped) {
        int late = 0;
        for (int round = 0; round < 1000 && late == 0; round++) {
            for (int i = 0; i < 100_000; i++) {
                tryToRead(mapped, i * 8L & 4088);
            }
            for (int i = 0; i < 100; i++) {
                try {
                    tryToRead(mapped, LENGTH / 2 + i * 8L);
                } catch (InternalError e) {
                    late++;
                }
            }
        }
        return late;
    }

    /// Takes a lease whose break is told by the kernel's own choice of signal, and waits to be hit.
    private static void lease(Kernel kernel, Path path, int signal) throws Exception {
        Descriptor file =
                kernel.files().open(path, Files.O_RDONLY, 0, kernel.account()).orThrow();
        System.out.println("leased " + kernel.leases().take(file, Leases.F_RDLCK, signal));
        while (kernel.leases().current(file) == Leases.F_RDLCK) {
            Thread.onSpinWait();
        }
        kernel.leases().release(file);
    }

    private static void leaseHandled(Kernel kernel, Path path) throws Exception {
        try (MappedFile mapped = MappedFile.openGuarded(kernel, path, Mode.READ, kernel.account())) {
            System.out.println("leased 0");
            while (mapped.leaseState() == FileLease.State.HELD) {
                Thread.onSpinWait();
            }
        }
    }
}
