package dev.sluice.bench.broker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BrokerProfileTest {
    @Test
    void samplesCountForTheSystemCallTheyWereMadeIn() {
        BrokerProfile profile = BrokerProfile.parse("""
                sluice-loop-0
                \tffffffff81a05678 _copy_to_iter ([kernel.kallsyms])
                \tffffffff81a05679 tcp_recvmsg_locked ([kernel.kallsyms])
                \tffffffff81a05670 __x64_sys_recvfrom ([kernel.kallsyms])
                \t    7f0012345678 recv (/usr/lib/libc.so.6)

                sluice-loop-0
                \tffffffff81a05679 tcp_recvmsg_locked ([kernel.kallsyms])
                \tffffffff81a05670 __x64_sys_recvfrom ([kernel.kallsyms])

                sluice-loop-0
                \t    7f0012345678 StubRoutines::updateBytesCRC32C (/tmp/perf-1.map)

                sluice-loop-1
                \t    7f0012345679 void dev.sluice.broker.net.Connection.ready() (/tmp/perf-1.map)

                C2 CompilerThre
                \tffffffff81a05670 __x64_sys_futex ([kernel.kallsyms])
                """);

        assertThat(profile.samples()).containsOnlyKeys("recvfrom", "CRC-32C", "Java", "JVM's own threads");
        assertThat(profile.samples().get("recvfrom")).containsExactly(1, 1);
        assertThat(profile.table(1.0, "s/GiB")).contains("| recvfrom | 40% | 20% | 0.400 |");
    }
}
