package dev.sluice.cli;

import java.net.InetAddress;
import java.net.InetSocketAddress;

/// `[HOST:]PORT` as the address to listen on: loopback unless a host is named, port 0 for a free one.
final class ListenAddress {
    private static final int MAX_PORT = 65_535;

    private ListenAddress() {}

    static InetSocketAddress parse(String text) throws CommandFailure {
        int colon = text.lastIndexOf(':');
        String port = text.substring(colon + 1);
        if (!port.matches("\\d{1,5}") || Integer.parseInt(port) > MAX_PORT || colon == 0) {
            throw CommandFailure.usage(
                    "'" + text + "' is not a port; write [HOST:]PORT, for example 7000 or 0.0.0.0:7000");
        }
        int number = Integer.parseInt(port);
        if (colon < 0) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), number);
        }
        // The rest is checked as every other address is; 1 stands for a port 0, which those can't have.
        String host = HostPort.parseList(text.substring(0, colon + 1) + "1")
                .getFirst()
                .host();
        InetSocketAddress address = new InetSocketAddress(host, number);
        if (address.isUnresolved()) {
            throw CommandFailure.failed("no such host: " + host);
        }
        return address;
    }
}
