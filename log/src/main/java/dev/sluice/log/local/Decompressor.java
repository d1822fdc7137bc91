package dev.sluice.log.local;

import dev.sluice.log.Compression;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/// Opens compressed records, which the log never does: it knows no compression. Who reads topics whose producers
/// compress hands one in; with Kafka's client on the class path it takes one line.
///
/// ```java
/// Decompressor kafkas = (compression, records) -> CompressionType.forName(compression.name().toLowerCase(Locale.ROOT))
///         .wrapForInput(records, RecordBatch.MAGIC_VALUE_V2, BufferSupplier.NO_CACHING);
/// ```
@FunctionalInterface
public interface Decompressor {
    /// @param compression of the batch, never NONE or UNKNOWN
    /// @param records     what is compressed: a private copy, valid until the stream was read to its end
    /// @return the records; closed by the caller
    /// @throws IOException when they can't be opened
    InputStream open(Compression compression, ByteBuffer records) throws IOException;
}
