package dev.sluice.cli.explain;

import dev.sluice.io.transfer.Endpoint.Kind;
import dev.sluice.io.transfer.Method;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/// What can be explained: a method between two ends, by the name that `sluice compare` has for it.
public enum Subject {
    READ_WRITE("read+write", Method.READ_WRITE, Kind.FILE, Kind.SOCKET),
    MMAP_WRITE("mmap+write", Method.MMAP_WRITE, Kind.FILE, Kind.SOCKET),
    SENDFILE("sendfile", Method.SENDFILE, Kind.FILE, Kind.SOCKET),
    SPLICE("splice", Method.SPLICE, Kind.FILE, Kind.SOCKET),
    ZEROCOPY_SEND("MSG_ZEROCOPY", Method.ZEROCOPY_SEND, Kind.FILE, Kind.SOCKET),
    RECV_WRITE("recv+write", Method.READ_WRITE, Kind.SOCKET, Kind.FILE),
    SPLICE_RECEIVE("splice-receive", Method.SPLICE, Kind.SOCKET, Kind.FILE),
    ZEROCOPY_RECEIVE("TCP_ZEROCOPY_RECEIVE", Method.ZEROCOPY_RECEIVE, Kind.SOCKET, Kind.FILE),
    COPY("copy", Method.READ_WRITE, Kind.FILE, Kind.FILE),
    COPY_FILE_RANGE("copy_file_range", Method.COPY_FILE_RANGE, Kind.FILE, Kind.FILE),
    REFLINK("reflink", Method.REFLINK, Kind.FILE, Kind.FILE);

    private final String label;
    final Method method;
    final Kind source;
    final Kind sink;

    Subject(String label, Method method, Kind source, Kind sink) {
        this.label = label;
        this.method = method;
        this.source = source;
        this.sink = sink;
    }

    public String label() {
        return label;
    }

    /// By its name, in any case.
    public static Optional<Subject> named(String name) {
        return Arrays.stream(values())
                .filter(subject -> subject.label.toLowerCase(Locale.ROOT).equals(name.toLowerCase(Locale.ROOT)))
                .findFirst();
    }

    /// `read+write, mmap+write, …`
    public static String names() {
        return Arrays.stream(values()).map(Subject::label).collect(Collectors.joining(", "));
    }
}
