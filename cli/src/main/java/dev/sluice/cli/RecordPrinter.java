package dev.sluice.cli;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
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

    void print(PrintedRecord record) throws IOException {
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
                case TIMESTAMP -> output.put(record.timestampMs());
            }
        }
        output.put(delimiter);
    }

    private void bytes(@Nullable MemorySegment bytes) throws IOException {
        if (bytes != null) {
            output.put(bytes);
        }
    }

    private void headers(List<PrintedRecord.PrintedHeader> headers) throws IOException {
        boolean first = true;
        for (PrintedRecord.PrintedHeader header : headers) {
            if (!first) {
                output.put(COMMA);
            }
            first = false;
            output.put(header.name());
            output.put(EQUALS);
            bytes(header.value());
        }
    }
}
