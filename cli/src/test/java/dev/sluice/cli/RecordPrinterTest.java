package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.io.linux.Descriptor;
import dev.sluice.io.linux.Kernel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordPrinterTest {
    @TempDir
    Path folder;

    @Test
    void fieldsComeInTheOrderAskedForWithSeparatorsBetweenAndADelimiterBehind() throws Exception {
        assertThat(printed("partition,offset,timestamp,key,headers,value", record("k", "v")))
                .isEqualTo("3|42|1700000000000|k|a=1,b=,a=2|v;");
    }

    @Test
    void theValueAloneIsTheDefaultUse() throws Exception {
        assertThat(printed("value", record("k", "v"))).isEqualTo("v;");
    }

    @Test
    void aMissingKeyOrValuePrintsAsNothing() throws Exception {
        assertThat(printed("key,value", record(null, null))).isEqualTo("|;");
    }

    private String printed(String fields, ConsumerRecord<ByteBuffer, ByteBuffer> record)
            throws IOException, CommandFailure {
        Path file = folder.resolve("printed");
        Kernel kernel = new Kernel();
        try (Descriptor descriptor = kernel.files()
                        .open(
                                file,
                                dev.sluice.io.linux.Files.O_WRONLY | dev.sluice.io.linux.Files.O_CREAT,
                                0600,
                                kernel.account())
                        .orThrow();
                RecordOutput output = new RecordOutput(kernel.files(), descriptor, 16)) {
            new RecordPrinter(RecordField.parseList(fields), new byte[] {'|'}, new byte[] {';'}, output)
                    .print(new PrintedRecord.Fetched(record));
            output.flush();
        }
        return Files.readString(file);
    }

    private static ConsumerRecord<ByteBuffer, ByteBuffer> record(String key, String value) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("a", new byte[] {'1'}).add("b", null).add("a", new byte[] {'2'});
        return new ConsumerRecord<>(
                "topic",
                3,
                42,
                1_700_000_000_000L,
                TimestampType.CREATE_TIME,
                1,
                1,
                key == null ? null : slice(key),
                value == null ? null : slice(value),
                headers,
                Optional.empty());
    }

    /// As the client hands them over: read-only pieces of a larger buffer.
    private static ByteBuffer slice(String text) {
        byte[] bytes = ("<" + text + ">").getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.wrap(bytes, 1, bytes.length - 2).slice().asReadOnlyBuffer();
    }
}
