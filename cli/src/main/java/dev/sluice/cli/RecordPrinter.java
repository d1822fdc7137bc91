package dev.sluice.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/// Prints records as bytes: the chosen fields with the separator between them, and the delimiter after the last. A
/// missing key or value prints as nothing; headers as `name=value` with commas.
final class RecordPrinter {
    private static final byte[] EQUALS = {'='};
    private static final byte[] COMMA = {','};

    private final List<RecordField> fields;
    private final byte[] separator;
    private final byte[] delimiter;
    private final RecordOutput output;

    RecordPrinter(List<RecordField> fields, byte[] separator, byte[] delimiter, RecordOutput output) {
        this.fields = fields;
        this.separator = separator.clone();
        this.delimiter = delimiter.clone();
        this.output = output;
    }

    void print(ConsumerRecord<ByteBuffer, ByteBuffer> record) throws IOException {
        for (int i = 0; i < fields.size(); i++) {
            if (i > 0) {
                output.put(separator);
            }
            switch (fields.get(i)) {
                case VALUE -> bytes(record.value());
                case KEY -> bytes(record.key());
                case HEADERS -> headers(record.headers());
                case OFFSET -> output.put(record.offset());
                case PARTITION -> output.put(record.partition());
                case TIMESTAMP -> output.put(record.timestamp());
            }
        }
        output.put(delimiter);
    }

    private void bytes(@Nullable ByteBuffer bytes) throws IOException {
        if (bytes != null) {
            output.put(bytes);
        }
    }

    private void headers(Headers headers) throws IOException {
        boolean first = true;
        for (Header header : headers) {
            if (!first) {
                output.put(COMMA);
            }
            first = false;
            output.put(header.key().getBytes(StandardCharsets.UTF_8));
            output.put(EQUALS);
            if (header.value() != null) {
                output.put(header.value());
            }
        }
    }
}
