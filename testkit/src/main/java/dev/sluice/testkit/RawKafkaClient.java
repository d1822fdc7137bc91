package dev.sluice.testkit;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.jspecify.annotations.Nullable;

/// One connection to a broker, by a blocking socket: any API in any version through kafka-clients' messages, and any
/// bytes at all.
///
/// Reading waits for at most [#PATIENCE_MS], far longer than anything should take: a broker that does not answer fails
/// the test instead of hanging it. Used by one thread at a time; whoever opened it closes it.
public final class RawKafkaClient implements AutoCloseable {
    public static final int PATIENCE_MS = 120_000;

    /// The broker's own API for its status, and the only version of it.
    public static final short STATUS_KEY = 20_000;

    private static final String CLIENT_ID = "raw";

    private final Socket socket;
    private final OutputStream out;
    private final InputStream in;
    private int lastCorrelationId;
    private long sentBytes;
    private long receivedBytes;

    private RawKafkaClient(Socket socket) throws IOException {
        this.socket = socket;
        this.out = socket.getOutputStream();
        this.in = socket.getInputStream();
    }

    public static RawKafkaClient connect(InetSocketAddress address) throws IOException {
        return connect(address, 0);
    }

    /// @param receiveBufferBytes what the kernel may hold for a reader that does not read; 0 for its default
    public static RawKafkaClient connect(InetSocketAddress address, int receiveBufferBytes) throws IOException {
        return connect(new Socket(), address, receiveBufferBytes);
    }

    /// @param from the client's own address, such as 127.0.0.2: another one than the broker's
    public static RawKafkaClient connectFrom(String from, InetSocketAddress address) throws IOException {
        Socket socket = new Socket();
        socket.bind(new InetSocketAddress(from, 0));
        return connect(socket, address, 0);
    }

    private static RawKafkaClient connect(Socket socket, InetSocketAddress address, int receiveBufferBytes)
            throws IOException {
        try {
            if (receiveBufferBytes > 0) {
                socket.setReceiveBufferSize(receiveBufferBytes);
            }
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(PATIENCE_MS);
            socket.connect(address, PATIENCE_MS);
            return new RawKafkaClient(socket);
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    // ---- Requests as messages

    /// Sends a request and reads its answer.
    ///
    /// @param type the answer's message, as kafka-clients generates it for the API
    public <A extends ApiMessage> A ask(ApiKeys api, int version, ApiMessage body, Class<A> type) throws IOException {
        int correlationId = send(api, version, body);
        return answer(api, version, correlationId, type);
    }

    /// Sends a request.
    ///
    /// @return its correlation id
    public int send(ApiKeys api, int version, ApiMessage body) throws IOException {
        int correlationId = ++lastCorrelationId;
        sendBytes(frame(api, version, correlationId, body));
        return correlationId;
    }

    /// Reads the answer to a request, which has to be the next that comes.
    public <A extends ApiMessage> A answer(ApiKeys api, int version, int correlationId, Class<A> type)
            throws IOException {
        return parse(api, version, correlationId, readFrame(), type);
    }

    /// The bytes of a request, its size in front.
    public static byte[] frame(ApiKeys api, int version, int correlationId, ApiMessage body) {
        RequestHeaderData header = new RequestHeaderData()
                .setRequestApiKey(api.id)
                .setRequestApiVersion((short) version)
                .setCorrelationId(correlationId)
                .setClientId(CLIENT_ID);
        ByteBuffer head = MessageUtil.toByteBufferAccessor(header, api.requestHeaderVersion((short) version))
                .buffer();
        ByteBuffer content =
                MessageUtil.toByteBufferAccessor(body, (short) version).buffer();
        return ByteBuffer.allocate(Integer.BYTES + head.remaining() + content.remaining())
                .putInt(head.remaining() + content.remaining())
                .put(head)
                .put(content)
                .array();
    }

    /// Bytes with their number in front, as everything is sent.
    public static byte[] framed(byte[] content) {
        return ByteBuffer.allocate(Integer.BYTES + content.length)
                .putInt(content.length)
                .put(content)
                .array();
    }

    /// Understands an answer's bytes behind its size.
    ///
    /// @throws AssertionError when it answers another request, or has bytes left over
    public static <A extends ApiMessage> A parse(
            ApiKeys api, int version, int correlationId, ByteBuffer frame, Class<A> type) {
        ByteBufferAccessor reader = new ByteBufferAccessor(frame);
        ResponseHeaderData header = new ResponseHeaderData(reader, api.responseHeaderVersion((short) version));
        if (header.correlationId() != correlationId) {
            throw new AssertionError("answer to request " + header.correlationId() + " instead of " + correlationId);
        }
        ApiMessage body = ApiMessageType.fromApiKey(api.id).newResponse();
        body.read(reader, (short) version);
        if (frame.hasRemaining()) {
            throw new AssertionError(
                    api + " version " + version + ": " + frame.remaining() + " bytes behind the answer");
        }
        return type.cast(body);
    }

    /// Asks for the broker's status.
    ///
    /// @param topic null for all topics
    /// @return JSON
    public String status(@Nullable String topic) throws IOException {
        byte[] name = topic == null ? new byte[0] : topic.getBytes(StandardCharsets.UTF_8);
        ByteBuffer content = ByteBuffer.allocate(12 + name.length)
                .putShort(STATUS_KEY)
                .putShort((short) 0)
                .putInt(++lastCorrelationId)
                .putShort((short) -1)
                .putShort((short) (topic == null ? -1 : name.length))
                .put(name);
        sendBytes(framed(content.array()));
        ByteBuffer answer = readFrame();
        if (answer.getInt() != lastCorrelationId || answer.getInt() != answer.remaining()) {
            throw new AssertionError("not the answer to a question for the status");
        }
        return StandardCharsets.UTF_8.decode(answer).toString();
    }

    // ---- Bytes

    public void sendBytes(byte[] bytes) throws IOException {
        out.write(bytes);
        sentBytes += bytes.length;
    }

    /// Sends bytes in pieces of `pieceBytes`, each a packet of its own.
    public void dribble(byte[] bytes, int pieceBytes) throws IOException {
        for (int from = 0; from < bytes.length; from += pieceBytes) {
            int length = Math.min(pieceBytes, bytes.length - from);
            out.write(bytes, from, length);
            sentBytes += length;
        }
    }

    /// Says that nothing more will be sent; answers can still be read.
    public void shutdownOutput() throws IOException {
        socket.shutdownOutput();
    }

    /// Reads an answer: the bytes behind its size.
    ///
    /// @throws EOFException when the broker has closed the connection
    public ByteBuffer readFrame() throws IOException {
        int size = ByteBuffer.wrap(readExactly(Integer.BYTES)).getInt();
        return ByteBuffer.wrap(readExactly(size));
    }

    /// Reads an answer, or empty when the broker closed the connection instead.
    public Optional<ByteBuffer> readFrameOrEnd() throws IOException {
        try {
            return Optional.of(readFrame());
        } catch (EOFException | SocketException e) {
            return Optional.empty();
        }
    }

    /// Reads so many bytes.
    ///
    /// @throws EOFException when the broker closed the connection before
    public byte[] readExactly(int lengthBytes) throws IOException {
        byte[] bytes = in.readNBytes(lengthBytes);
        receivedBytes += bytes.length;
        if (bytes.length < lengthBytes) {
            throw new EOFException("closed by the broker after " + bytes.length + " of " + lengthBytes + " bytes");
        }
        return bytes;
    }

    /// Reads until the broker closes the connection, and answers what came before that.
    public byte[] readUntilClosed() throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] chunk = new byte[8192];
        try {
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                all.write(chunk, 0, n);
                receivedBytes += n;
            }
        } catch (SocketException e) {
            // A reset is an end too: the broker closed with bytes of ours unread.
        }
        return all.toByteArray();
    }

    public long sentBytes() {
        return sentBytes;
    }

    /// Whether bytes have arrived that nobody has read yet.
    public boolean hasUnread() throws IOException {
        return in.available() > 0;
    }

    public long receivedBytes() {
        return receivedBytes;
    }

    public InetSocketAddress localAddress() {
        return (InetSocketAddress) socket.getLocalSocketAddress();
    }

    /// Closes without a farewell: the broker is told by a reset.
    public void reset() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
