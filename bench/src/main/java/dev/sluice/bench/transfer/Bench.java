package dev.sluice.bench.transfer;

import dev.sluice.bench.transfer.Receiver.Received;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// The senders, one of each program and started when first wanted, and the two receivers that all of them send to.
final class Bench implements AutoCloseable {
    private final Programs programs;
    private final Sample sample;
    private final Receiver discarding;
    private final Receiver checking;
    private final Map<Subject.Program, Child> senders = new EnumMap<>(Subject.Program.class);

    Bench(Programs programs, Sample sample) throws IOException {
        this.programs = programs;
        this.sample = sample;
        this.discarding = new Receiver(programs.receiver(), false);
        this.checking = new Receiver(programs.receiver(), true);
    }

    /// The port whose receiver throws away what comes.
    Receiver discarding() {
        return discarding;
    }

    /// Sends once to the receiver that throws the bytes away.
    Sent send(Subject subject, int chunkBytes) throws IOException {
        Sent sent = Sent.parse(tell(subject, chunkBytes, discarding.port()));
        Received received = discarding.received();
        if (received.bytes() != sample.bytes()) {
            throw new IOException(subject.label + ": " + received.bytes() + " of " + sample.bytes() + " bytes arrived");
        }
        return sent;
    }

    /// Sends once to the receiver that reads the bytes, and compares them with the file's.
    ///
    /// @return why this subject can't be measured here; empty when the right bytes arrived
    /// @throws IOException when wrong bytes arrived
    Optional<String> check(Subject subject, int chunkBytes) throws IOException {
        String answer = tell(subject, chunkBytes, checking.port());
        if (answer.startsWith("unavailable ")) {
            return Optional.of(answer.substring("unavailable ".length()));
        }
        Received received = checking.received();
        if (received.bytes() != sample.bytes() || received.hash() != sample.hash()) {
            throw new IOException(subject.label + " at " + chunkBytes + ": " + received.bytes() + " of "
                    + sample.bytes() + " bytes arrived, and they are not the file's");
        }
        return Optional.empty();
    }

    private String tell(Subject subject, int chunkBytes, int port) throws IOException {
        Child sender = senders.get(subject.program);
        if (sender == null) {
            sender = new Child(programs.command(subject.program, sample.path()));
            senders.put(subject.program, sender);
        }
        sender.tell(subject.way + " " + chunkBytes + " " + port);
        return sender.answer();
    }

    @Override
    public void close() {
        senders.values().forEach(Child::close);
        discarding.close();
        checking.close();
    }
}
