package dev.sluice.broker.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// One entry of `listeners` or `advertised.listeners`: `NAME://HOST:PORT`, the host in brackets if it is an IPv6
/// address.
///
/// @param name upper case; PLAINTEXT where the entry has none
/// @param host empty for all interfaces
/// @param port 0 for one that the kernel chooses
public record ListenerAddress(String name, String host, int port) {
    private static final int LARGEST_PORT = 65_535;

    /// Parses a comma-separated list, as Kafka writes it.
    public static List<ListenerAddress> parseList(String key, String value) {
        List<ListenerAddress> list = new ArrayList<>();
        for (String entry : value.split(",", -1)) {
            if (!entry.isBlank()) {
                list.add(parse(key, entry.strip()));
            }
        }
        for (int i = 0; i < list.size(); i++) {
            for (int j = 0; j < i; j++) {
                if (list.get(i).name.equals(list.get(j).name)) {
                    throw new ConfigException(key + "=" + value + " names the listener " + list.get(i).name
                            + " twice: give each a name of its own, such as INTERNAL://HOST:PORT");
                }
            }
        }
        return list;
    }

    private static ListenerAddress parse(String key, String entry) {
        int scheme = entry.indexOf("://");
        String name = scheme < 0 ? "PLAINTEXT" : entry.substring(0, scheme).toUpperCase(Locale.ROOT);
        String address = scheme < 0 ? entry : entry.substring(scheme + 3);
        int colon = address.lastIndexOf(':');
        if (colon < 0 || name.isEmpty()) {
            throw wrong(key, entry);
        }
        String host = address.substring(0, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        } else if (host.indexOf(':') >= 0) {
            throw new ConfigException(key + "=" + entry + ": write an IPv6 address in brackets, such as [::1]:9092");
        }
        int port;
        try {
            port = Integer.parseInt(address.substring(colon + 1));
        } catch (NumberFormatException e) {
            throw wrong(key, entry);
        }
        if (port < 0 || port > LARGEST_PORT) {
            throw new ConfigException(key + "=" + entry + ": a port is a number from 0 to " + LARGEST_PORT);
        }
        if (name.equals("SSL") || name.startsWith("SASL_")) {
            throw new ConfigException(
                    key + "=" + entry + ": this version offers PLAINTEXT only; use PLAINTEXT://" + address);
        }
        return new ListenerAddress(name, host, port);
    }

    private static ConfigException wrong(String key, String entry) {
        return new ConfigException(
                key + "=" + entry + " is not an address: write HOST:PORT or NAME://HOST:PORT, such as 127.0.0.1:9092");
    }

    /// Whether the listener takes connections on every interface.
    public boolean isWildcard() {
        return host.isEmpty() || host.equals("0.0.0.0") || host.equals("::");
    }

    @Override
    public String toString() {
        return name + "://" + (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }
}
