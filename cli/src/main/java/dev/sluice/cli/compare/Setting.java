package dev.sluice.cli.compare;

import dev.sluice.io.transfer.NetworkPath;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What figures depend on and don't show: it stands above every table.
final class Setting {
    private Setting() {}

    /// @param paths the way to the other side in each of its states
    static Map<String, String> of(
            Comparison.Request request, Map<String, NetworkPath> paths, OtherSide other, long fileBytes)
            throws IOException {
        Map<String, String> setting = new LinkedHashMap<>();
        NetworkPath path = paths.values().iterator().next();
        setting.put("path", "TCP over " + path + "; the other side is " + other.description());
        if (paths.size() > 1) {
            setting.put("states", other.legend());
        }
        setting.put(
                "kernel",
                "Linux " + System.getProperty("os.version") + ", " + System.getProperty("os.arch") + ", "
                        + Runtime.getRuntime().availableProcessors() + " processors (" + processor() + ")");
        setting.put("Java", System.getProperty("java.vm.name") + " " + System.getProperty("java.vm.version"));
        setting.put(
                "file",
                String.format(
                        Locale.ROOT,
                        "%s, %,d bytes, on %s",
                        request.file().toAbsolutePath().normalize(),
                        fileBytes,
                        store(request.file())));
        setting.put("written to", request.folder().toAbsolutePath().normalize() + " on " + store(request.folder()));
        setting.put(
                "memory",
                "warm: the file is in the page cache"
                        + (request.cold()
                                ? "; cold: the part to be moved is thrown out of it before each move (fadvise DONTNEED)"
                                : "")
                        + "; files written are new each time, so their pages are touched for the first time");
        setting.put(
                "runs",
                request.runs()
                        + ", interleaved, after two unmeasured ones; each way moves as much as it can in an equal share of the time");
        setting.put(
                "checked",
                "every byte: length and CRC32C of each MiB, by the receiving process, or from the file that was written;"
                        + " what is read into memory, in the unmeasured runs");
        return setting;
    }

    private static String store(Path path) throws IOException {
        FileStore store = Files.getFileStore(path);
        return store.type() + " (" + store.name() + ")";
    }

    private static String processor() {
        try {
            List<String> lines = Files.readAllLines(Path.of("/proc/cpuinfo"));
            return lines.stream()
                    .filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown model");
        } catch (IOException e) {
            return "unknown model"; // a sandbox
        }
    }
}
