package dev.sluice.cli;

import java.io.EOFException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// Finds out in bounded time whether a broker answers, before a Kafka client is made: a client would go on trying for
/// minutes, and say so in a page of warnings.
final class BrokerProbe {
    private static final short API_VERSIONS = 18;
    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private BrokerProbe() {}

    /// Waits until one of the addresses answers. A refused connection is tried again until the time is over, so
    /// that a script may start a broker and go on at once.
    ///
    /// @return the first address that answered
    /// @throws CommandFailure with the line to show when none does
    static HostPort await(ClientOptions options) throws CommandFailure {
        long endNs = System.nanoTime() + options.timeout().toNanos();
        // Why there is more to say than that nobody answers; the last reason counts.
        String reason = null;
        do {
            int untried = options.bootstrap().size();
            for (HostPort address : options.bootstrap()) {
                // An even share of what is left, so that a silent address does not keep the next one from being asked.
                long shareNs = Math.max(TimeUnit.MILLISECONDS.toNanos(1), (endNs - System.nanoTime()) / untried--);
                try (KafkaConnection connection = KafkaConnection.open(address, Duration.ofNanos(shareNs))) {
                    if (options.isPlaintext()) {
                        // Version 0 has no body, and every broker answers it; its content does not matter here.
                        connection.exchange(API_VERSIONS, (short) 0, ByteBuffer.allocate(0));
                    }
                    return address;
                } catch (KafkaConnection.NotKafkaException e) {
                    throw CommandFailure.failed(notKafka(address, e.what()), e);
                } catch (EOFException e) {
                    throw CommandFailure.failed(notKafka(address, "it closed the connection"), e);
                } catch (UnknownHostException _) {
                    reason = "the host name of " + address + " is not known; check --bootstrap";
                } catch (IOException _) {
                    // Refused, unreachable, or silent: all may be over in a moment, when a broker is just starting.
                }
            }
            LockSupport.parkNanos(Math.min(RETRY_NS, Math.max(0, endNs - System.nanoTime())));
        } while (System.nanoTime() < endNs);
        throw CommandFailure.failed(reason == null ? nobodyAnswers(options) : reason);
    }

    private static String notKafka(HostPort address, String what) {
        return "what listens at " + address + " doesn't answer as a Kafka broker (" + what
                + "); is it another port, or one with TLS (--property security.protocol=SSL)?";
    }

    static String nobodyAnswers(ClientOptions options) {
        return "no broker answers at " + HostPort.join(options.bootstrap()) + "; start one with: sluice broker";
    }
}
