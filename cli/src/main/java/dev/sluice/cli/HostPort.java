package dev.sluice.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Where somebody is said to listen, as it was typed: the name is looked up when it is used.
///
/// @param host a name or an address, an IPv6 address without its brackets
record HostPort(String host, int port) {
    private static final int MAX_PORT = 65_535;

    static List<HostPort> parseList(String text) throws CommandFailure {
        List<HostPort> all = new ArrayList<>();
        for (String one : text.split(",", -1)) {
            all.add(parse(one.strip()));
        }
        return List.copyOf(all);
    }

    private static HostPort parse(String text) throws CommandFailure {
        int colon = text.lastIndexOf(':');
        String host = colon < 0 ? text : text.substring(0, colon);
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        if (colon <= 0 || (host.contains(":") && !bracketed) || host.equals("[]")) {
            throw bad(text);
        }
        int port;
        try {
            port = Integer.parseInt(text.substring(colon + 1));
        } catch (NumberFormatException _) {
            throw bad(text);
        }
        if (port < 1 || port > MAX_PORT) {
            throw bad(text);
        }
        return new HostPort(bracketed ? host.substring(1, host.length() - 1) : host, port);
    }

    private static CommandFailure bad(String text) {
        return CommandFailure.usage(
                "'" + text + "' is not an address; write HOST:PORT, for example 127.0.0.1:9092 or [::1]:9092");
    }

    static String join(List<HostPort> all) {
        return all.stream().map(HostPort::toString).collect(Collectors.joining(","));
    }

    @Override
    public String toString() {
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
    }
}
