package dev.sluice.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sluice.testbase.Commands;
import dev.sluice.testbase.RequiresProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the kernel is asked to do with the bytes of a span or buffer, as strace sees it. What rides in an io_uring
/// isn't seen: there it is what isn't asked for that tells.
@Tag("strace")
@RequiresProgram("strace")
@Timeout(180)
class StraceTest {
    private static final int LENGTH = (2 << 20) + 17;
    private static final Pattern SENDFILE = Pattern.compile("sendfile\\(.*\\) += (\\d+)$");
    private static final Pattern WRITE = Pattern.compile("(?:write|sendto)\\(0x\\w+, 0x(\\w+), .*\\) += 0x(\\w+)$");

    @TempDir
    Path folder;

    @ParameterizedTest
    @EnumSource
    void aSpanNeverEntersUserMemoryAndABufferIsWrittenFromWhereItLies(Transport transport) throws Exception {
        assumeTrue(transport.missing() == null, () -> transport + ": " + transport.missing());
        Path file = Files.write(folder.resolve("file"), new byte[LENGTH]);
        Path output = folder.resolve("output");
        List<String> calls = trace(transport, file, output);
        List<String> printed = Files.readAllLines(output).stream()
                .filter(line -> line.matches("[0-9a-f]+"))
                .toList();
        assertThat(printed).last().isEqualTo(Integer.toString(2 * LENGTH));
        long address = Long.parseLong(printed.getFirst(), 16);

        long sentFromFile = 0;
        long sentFromBuffer = 0;
        long largeFromElsewhere = 0;
        for (String call : calls) {
            Matcher sendfile = SENDFILE.matcher(call);
            Matcher write = WRITE.matcher(call);
            if (sendfile.find()) {
                sentFromFile += Long.parseLong(sendfile.group(1));
            } else if (write.find()) {
                long from = Long.parseUnsignedLong(write.group(1), 16);
                long n = Long.parseLong(write.group(2), 16);
                if (from >= address && from < address + LENGTH) {
                    sentFromBuffer += n;
                } else if (n > 10_000) {
                    largeFromElsewhere += n;
                }
            }
        }
        long visible = transport == Transport.IO_URING ? 0 : LENGTH;
        assertThat(sentFromFile).isEqualTo(visible);
        assertThat(sentFromBuffer).isEqualTo(visible);
        assertThat(largeFromElsewhere).isZero();
        assertThat(calls.stream().filter(call -> call.contains(file.toString())))
                .as("opened by us and for Netty; neither read nor mapped")
                .filteredOn(call -> !call.contains("sendfile("))
                .allMatch(call -> call.contains("openat("))
                .hasSize(2);
    }

    /// @return calls, one a line, beginning with the thread
    private List<String> trace(Transport transport, Path file, Path output) throws Exception {
        Path calls = folder.resolve("calls");
        List<String> command = new ArrayList<>(List.of(
                "strace",
                "-f",
                "--seccomp-bpf",
                "-y",
                "-e",
                "trace=openat,sendfile,read,pread64,preadv,mmap,write,writev,sendto,sendmsg",
                "-e",
                "raw=write,sendto",
                "-o",
                calls.toString()));
        command.addAll(Commands.java(List.of("-Xmx128m"), SenderMain.class, transport.name(), file.toString()));
        int status = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start()
                .waitFor();
        assertThat(status).as(Files.readString(output)).isZero();
        return joined(Files.readAllLines(calls));
    }

    /// Calls that others interrupted in the trace, put together again.
    private static List<String> joined(List<String> lines) {
        Map<String, String> begun = new HashMap<>();
        List<String> calls = new ArrayList<>();
        for (String line : lines) {
            String thread = line.split(" ")[0];
            if (line.endsWith("<unfinished ...>")) {
                begun.put(thread, line.substring(0, line.length() - "<unfinished ...>".length()));
            } else if (line.contains("resumed>")) {
                calls.add(begun.getOrDefault(thread, "")
                        + line.substring(line.indexOf("resumed>") + "resumed>".length()));
            } else {
                calls.add(line);
            }
        }
        return calls;
    }
}
