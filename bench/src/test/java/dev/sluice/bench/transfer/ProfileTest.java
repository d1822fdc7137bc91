package dev.sluice.bench.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ProfileTest {
    @Test
    void samplesInCopyFunctionsOfTheSendingThreadAfterItsWarmUpAreCounted() {
        String script = """
                sender  99.999999999:  ffffffff81a01234 rep_movs_alternative
                sender  100.000000001:  ffffffff81a01234 rep_movs_alternative
                sender  100.000000002:  ffffffff81a05678 _copy_from_iter
                sender  100.000000003:  ffffffff81b00000 tcp_sendmsg_locked
                sender  101.000000000:      7f0012345678 [unknown]
                C2 CompilerThre  101.000000001:  ffffffff81a01234 rep_movs_alternative
                """;

        Profile profile = Profile.parse(Subject.C_READWRITE, 65536, -1, 100_000_000_000L, script);

        assertThat(profile.samples()).isEqualTo(4);
        assertThat(profile.copying()).isEqualTo(2);
        assertThat(profile.copyShare()).isEqualTo(0.5);
    }
}
