package dev.sluice.cli;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// One plain TCP connection on which Kafka requests are sent, one at a time: for the two questions that Kafka's client
/// has no method for. Used by one thread, and closed by who opened it.
///
/// ```
///   request   i32 length | i16 api key | i16 version | i32 correlation id | i16 length, client id | body
///   response  i32 length | i32 correlation id | body
/// ```
final class KafkaConnection implements AutoCloseable {
    private static final byte[] CLIENT_ID = "sluice".getBytes(StandardCharsets.UTF_8);
    private static final int REQUEST_HEADER_BYTES = 2 + 2 + 4 + 2 + CLIENT_ID.length;

    /// The longest answer taken in. The status of 10,000 partitions is some ten MiB; whatever else answers on the
    /// port (a web server) gives four letters here that read as a length of a gigabyte and more.
    private static final int MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

    private final Socket socket;
    private int correlationId;

    private KafkaConnection(Socket socket) {
        this.socket = socket;
    }

    /// @param timeout for the connection, and then for each read of an answer
    /// @throws IOException when nobody accepts the connection in that time
    static KafkaConnection open(HostPort address, Duration timeout) throws IOException {
        InetSocketAddress target = new InetSocketAddress(address.host(), address.port());
        if (target.isUnresolved()) {
            throw new UnknownHostException("the name " + address.host() + " is not known");
        }
        Socket socket = new Socket();
        try {
            int timeoutMs = Math.toIntExact(Math.max(1, timeout.toMillis()));
            socket.setTcpNoDelay(true);
            socket.connect(target, timeoutMs);
            socket.setSoTimeout(timeoutMs);
            return new KafkaConnection(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /// Sends one request and waits for its answer.
    ///
    /// @param body what follows the request header; read from its position to its limit
    /// @return what follows the response header (version 0)
    /// @throws EOFException              when the other end closed the connection, as brokers do on a request
    ///                                   unknown to them
    /// @throws NotKafkaException when the answer can't be one of a Kafka broker
    ByteBuffer exchange(short apiKey, short apiVersion, ByteBuffer body) throws IOException {
        correlationId++;
        ByteBuffer request = ByteBuffer.allocate(4 + REQUEST_HEADER_BYTES + body.remaining());
        request.putInt(REQUEST_HEADER_BYTES + body.remaining())
                .putShort(apiKey)
                .putShort(apiVersion)
                .putInt(correlationId)
                .putShort((short) CLIENT_ID.length)
                .put(CLIENT_ID)
                .put(body);
        socket.getOutputStream().write(request.array());

        DataInputStream in = new DataInputStream(socket.getInputStream());
        int lengthBytes = in.readInt();
        if (lengthBytes < 4 || lengthBytes > MAX_RESPONSE_BYTES) {
            throw new NotKafkaException("an answer of " + lengthBytes + " bytes");
        }
        int answered = in.readInt();
        if (answered != correlationId) {
            throw new NotKafkaException("an answer to request " + answered + ", asked was " + correlationId);
        }
        // Grows with what arrives, not with what was declared.
        byte[] answer = in.readNBytes(lengthBytes - 4);
        if (answer.length < lengthBytes - 4) {
            throw new EOFException("the connection ended in the middle of an answer");
        }
        return ByteBuffer.wrap(answer);
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException _) {
            // Nothing was left to send.
        }
    }

    /// Something answered, and not as a Kafka broker does.
    static final class NotKafkaException extends IOException {
        @java.io.Serial
        private static final long serialVersionUID = 1L;

        private final String what;

        NotKafkaException(String what) {
            super(what);
            this.what = what;
        }

        String what() {
            return what;
        }
    }
}
