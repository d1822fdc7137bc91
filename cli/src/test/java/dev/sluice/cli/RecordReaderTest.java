package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RecordReaderTest {
    private static final int NO_LIMIT = 1 << 24;

    @Test
    void eachLineIsARecordWithoutItsNewline() throws IOException {
        assertThat(split("one\ntwo\n", "\n")).containsExactly("one", "two");
    }

    @Test
    void anEmptyLineIsAnEmptyRecord() throws IOException {
        assertThat(split("\n\na\n\n", "\n")).containsExactly("", "", "a", "");
    }

    @Test
    void theLastLineNeedsNoNewline() throws IOException {
        assertThat(split("a\nb", "\n")).containsExactly("a", "b");
    }

    @Test
    void noBytesAreNoRecords() throws IOException {
        assertThat(split("", "\n")).isEmpty();
    }

    @Test
    void bytesThatAreNoTextComeThroughAsTheyAre() throws IOException {
        byte[] input = {0, (byte) 0xFF, (byte) 0xC3, '\n', '\r', '\n', (byte) 0x80};
        assertThat(records(new ByteArrayInputStream(input), new byte[] {'\n'}, 16, NO_LIMIT))
                .containsExactly(new byte[] {0, (byte) 0xFF, (byte) 0xC3}, new byte[] {'\r'}, new byte[] {(byte) 0x80});
    }

    @Test
    void aDelimiterMayHaveSeveralBytesOfWhichSomeBeginItAgain() throws IOException {
        assertThat(split("aXXYbXXXYc", "XXY")).containsExactly("a", "bX", "c");
    }

    @Test
    void halfADelimiterAtTheEndBelongsToTheRecord() throws IOException {
        assertThat(split("a\r\nb\r", "\r\n")).containsExactly("a", "b\r");
    }

    @Test
    void aRecordMayBeManyTimesAsLongAsTheBuffer() throws IOException {
        byte[] line = new byte[1_000_003];
        new Random(1).nextBytes(line);
        for (int i = 0; i < line.length; i++) {
            line[i] = line[i] == '\n' ? 0 : line[i];
        }
        ByteArrayOutputStream input = new ByteArrayOutputStream();
        input.writeBytes("short\n".getBytes(StandardCharsets.UTF_8));
        input.writeBytes(line);
        input.writeBytes("\nshort again".getBytes(StandardCharsets.UTF_8));

        List<byte[]> records = records(new ByteArrayInputStream(input.toByteArray()), new byte[] {'\n'}, 64, NO_LIMIT);

        assertThat(records).hasSize(3);
        assertThat(records.get(1)).isEqualTo(line);
        assertThat(records.get(2)).asString().isEqualTo("short again");
    }

    @Test
    void aRecordAsLongAsAllowedPassesAndOneByteMoreDoesNot() throws IOException {
        assertThat(records(stream("12345\n1"), new byte[] {'\n'}, 2, 5)).hasSize(2);
        assertThatThrownBy(() -> records(stream("123456\n1"), new byte[] {'\n'}, 2, 5))
                .isInstanceOf(RecordReader.RecordTooLongException.class);
        assertThatThrownBy(() -> records(stream("123456"), new byte[] {'\n'}, 2, 5))
                .isInstanceOf(RecordReader.RecordTooLongException.class);
    }

    @Test
    void inputWithoutADelimiterIsRefusedBeforeItEatsTheMemory() {
        Endless endless = new Endless();
        assertThatThrownBy(() -> records(endless, new byte[] {'\n'}, 1024, 10_000))
                .isInstanceOf(RecordReader.RecordTooLongException.class)
                .hasMessageContaining("without a delimiter");
        assertThat(endless.givenBytes).isLessThan(40_000);
    }

    @Test
    void aLineIsGivenOutBeforeMoreIsAskedOfTheStream() throws IOException {
        // One line, then a stream that must not be read: what a terminal or `tail -f` looks like.
        InputStream in = new Chunks(List.of("first\n".getBytes(StandardCharsets.UTF_8))) {
            @Override
            int atEnd() {
                throw new AssertionError("read although a whole record was there");
            }
        };
        RecordReader reader = new RecordReader(in, new byte[] {'\n'}, 1024, NO_LIMIT);
        assertThat(reader.next()).isTrue();
        assertThat(reader.length()).isEqualTo(5);
    }

    /// Against a model that holds everything in memory: whatever the cuts, buffer and delimiter, the same records.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7, 64, 4096})
    void theResultDoesNotDependOnHowTheStreamCutsItsReads(int bufferBytes) throws IOException {
        for (long seed = 0; seed < 400; seed++) {
            Random random = new Random(seed * 31 + bufferBytes);
            byte[] delimiter = new byte[1 + random.nextInt(3)];
            byte[] input = new byte[random.nextInt(200)];
            // Few letters, so that delimiters, halves of them and repetitions of their beginnings are common.
            fill(random, delimiter);
            fill(random, input);

            List<byte[]> expected = model(input, delimiter);
            List<byte[]> actual = records(new Chunks(cut(input, random)), delimiter, bufferBytes, NO_LIMIT);

            assertThat(actual)
                    .as("seed %d, buffer %d, delimiter %s, input %s", seed, bufferBytes, text(delimiter), text(input))
                    .usingElementComparator(Arrays::compare)
                    .isEqualTo(expected);
        }
    }

    /// The specification, as plainly as it can be written.
    private static List<byte[]> model(byte[] input, byte[] delimiter) {
        List<byte[]> records = new ArrayList<>();
        int start = 0;
        int at = 0;
        while (at < input.length) {
            if (at + delimiter.length <= input.length
                    && Arrays.equals(input, at, at + delimiter.length, delimiter, 0, delimiter.length)) {
                records.add(Arrays.copyOfRange(input, start, at));
                at += delimiter.length;
                start = at;
            } else {
                at++;
            }
        }
        if (start < input.length) {
            records.add(Arrays.copyOfRange(input, start, input.length));
        }
        return records;
    }

    private static void fill(Random random, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) "ab\n".charAt(random.nextInt(3));
        }
    }

    private static List<byte[]> cut(byte[] input, Random random) {
        List<byte[]> chunks = new ArrayList<>();
        int at = 0;
        while (at < input.length) {
            int length = Math.min(input.length - at, 1 + random.nextInt(20));
            chunks.add(Arrays.copyOfRange(input, at, at + length));
            at += length;
        }
        return chunks;
    }

    private static List<String> split(String input, String delimiter) throws IOException {
        return records(stream(input), delimiter.getBytes(StandardCharsets.UTF_8), 4, NO_LIMIT).stream()
                .map(RecordReaderTest::text)
                .toList();
    }

    private static List<byte[]> records(InputStream in, byte[] delimiter, int bufferBytes, int maxRecordBytes)
            throws IOException {
        RecordReader reader = new RecordReader(in, delimiter, bufferBytes, maxRecordBytes);
        List<byte[]> records = new ArrayList<>();
        while (reader.next()) {
            records.add(Arrays.copyOfRange(reader.array(), reader.start(), reader.start() + reader.length()));
        }
        assertThat(reader.next()).as("stays at the end").isFalse();
        return records;
    }

    private static InputStream stream(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /// Gives its chunks one at a read, or less if less is asked for.
    private static class Chunks extends InputStream {
        private final List<byte[]> chunks;
        private int chunk;
        private int at;

        Chunks(List<byte[]> chunks) {
            this.chunks = chunks;
        }

        @Override
        public int read() {
            throw new AssertionError("reads must be by the buffer");
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            assertThat(length).as("a read of nothing would never end").isPositive();
            if (chunk == chunks.size()) {
                return atEnd();
            }
            byte[] current = chunks.get(chunk);
            int count = Math.min(length, current.length - at);
            System.arraycopy(current, at, target, offset, count);
            at += count;
            if (at == current.length) {
                chunk++;
                at = 0;
            }
            return count;
        }

        int atEnd() {
            return -1;
        }
    }

    private static final class Endless extends InputStream {
        private long givenBytes;

        @Override
        public int read() {
            throw new AssertionError("reads must be by the buffer");
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            givenBytes += length;
            return length;
        }
    }
}
