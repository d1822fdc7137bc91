package dev.sluice.broker;

import dev.sluice.broker.protocol.AdmissionFuzz;
import dev.sluice.broker.protocol.CodecFuzz;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What Jazzer calls with the bytes that it makes up, and the targets that it calls with them.
///
/// The first byte of an input says which target it is for, so that one run can work on all of them and one folder hold
/// the inputs of all. With the system property `sluice.fuzz.target` all inputs are for that one. Whatever a target
/// throws is a finding; Jazzer keeps the input, and [FuzzTest] replays those that the repository keeps.
///
/// Used by one thread.
public final class Fuzz {
    /// Something that takes bytes from strangers.
    public interface Target extends AutoCloseable {
        /// Gives it the bytes, and looks whether what must hold does.
        ///
        /// @throws AssertionError when it does not
        void run(byte[] input) throws Exception;

        /// Inputs that lead a long way in; mutation begins with them.
        List<byte[]> seeds() throws IOException;

        @Override
        default void close() throws IOException {}
    }

    /// The targets; an input's first byte, less `'0'`, is the ordinal.
    enum Name {
        /// Frames, on a connection to a broker.
        REQUESTS,
        /// Produce and Fetch requests, for our parser and for Kafka's.
        CODEC,
        /// Record batches, for our admission and for Kafka's validation.
        RECORDS,
        /// A data folder's files, for recovery.
        RECOVERY;

        private byte letter() {
            return (byte) ('0' + ordinal());
        }

        private Target make() throws IOException {
            return switch (this) {
                case REQUESTS -> new RequestFuzz();
                case CODEC -> new CodecFuzz();
                case RECORDS -> new AdmissionFuzz();
                case RECOVERY -> new RecoveryFuzz();
            };
        }
    }

    private static final String CHOSEN = System.getProperty("sluice.fuzz.target", "");

    private static final Map<Name, Target> TARGETS = new EnumMap<>(Name.class);

    private Fuzz() {}

    /// Called by Jazzer, again and again.
    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        if (input.length > 0) {
            run(input);
        }
    }

    /// Called by Jazzer at the end, on a thread from which an exception would keep the process from ending.
    public static void fuzzerTearDown() {
        try {
            close();
        } catch (IOException | RuntimeException | Error e) {
            System.err.println("The end of the run failed: " + e);
            Runtime.getRuntime().halt(1);
        }
    }

    /// @param input at least one byte
    static void run(byte[] input) throws Exception {
        Name[] all = Name.values();
        Name name = CHOSEN.isEmpty() ? all[Math.floorMod(input[0] - '0', all.length)] : named(CHOSEN);
        Target target = TARGETS.get(name);
        if (target == null) {
            target = name.make();
            TARGETS.put(name, target);
        }
        target.run(Arrays.copyOfRange(input, 1, input.length));
    }

    static void close() throws IOException {
        for (Target target : TARGETS.values()) {
            target.close();
        }
        TARGETS.clear();
    }

    static Name named(String word) {
        return Name.valueOf(word.toUpperCase(Locale.ROOT));
    }

    /// Writes a target's seeds.
    ///
    /// @param args a target, and a folder
    public static void main(String[] args) throws IOException {
        Path folder = Files.createDirectories(Path.of(args[1]));
        int number = 0;
        Name name = named(args[0]);
        try (Target target = name.make()) {
            for (byte[] seed : target.seeds()) {
                byte[] input = new byte[1 + seed.length];
                input[0] = name.letter();
                System.arraycopy(seed, 0, input, 1, seed.length);
                Files.write(folder.resolve("seed-%03d".formatted(number++)), input);
            }
        } catch (Exception e) {
            throw new IOException("The seeds of " + name + " could not be made", e);
        }
    }
}
