package dev.sluice.bench.broker;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
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

    /// As Linux 6.18 and JDK 25 show them: the entries of these calls jump on, and stubs go by the blob's name.
    @Test
    void callsWhoseEntriesJumpOnAreNamedAndSoAreTheChecksumAndTheWayInAndOut() {
        BrokerProfile profile = BrokerProfile.parse("""
                sluice-loop-0
                \tffffffff81a05678 copy_folio_from_iter_atomic ([kernel.kallsyms])
                \tffffffff81a05679 generic_perform_write ([kernel.kallsyms])
                \tffffffff816b82b0 do_pwritev ([kernel.kallsyms])
                \tffffffff81a05670 do_syscall_64 ([kernel.kallsyms])
                \tffffffff81a05671 entry_SYSCALL_64_after_hwframe ([kernel.kallsyms])
                \t    7f0012345678 pwritev64 (/usr/lib/libc.so.6)

                sluice-loop-0
                \tffffffff81a05678 filemap_get_read_batch ([kernel.kallsyms])
                \tffffffff816b7630 do_preadv ([kernel.kallsyms])
                \tffffffff81a05670 do_syscall_64 ([kernel.kallsyms])

                sluice-loop-0
                \tffffffff81a05678 do_iter_readv_writev ([kernel.kallsyms])
                \tffffffff81a05679 do_sendfile ([kernel.kallsyms])
                \tffffffff81a05672 __x64_sys_sendfile64 ([kernel.kallsyms])
                \tffffffff81a05670 do_syscall_64 ([kernel.kallsyms])

                sluice-direct
                \tffffffff81b45fc0 __do_sys_io_uring_enter ([kernel.kallsyms])
                \tffffffff81a05670 do_syscall_64 ([kernel.kallsyms])

                sluice-direct
                \tffffffff81a05678 __arch_copy_from_user ([kernel.kallsyms])
                \tffffffff816b82b0 do_pwritev ([kernel.kallsyms])
                \tffffffff81a05670 invoke_syscall.constprop.0 ([kernel.kallsyms])
                \tffffffff81a05671 el0_svc ([kernel.kallsyms])

                sluice-loop-0
                \tffffffff81a05670 finish_task_switch.isra.0 ([kernel.kallsyms])
                \tffffffff81a05671 exit_to_user_mode_loop ([kernel.kallsyms])
                \tffffffff81a05672 do_syscall_64 ([kernel.kallsyms])

                sluice-loop-0
                \tffffffff81a05670 x64_sys_call ([kernel.kallsyms])
                \tffffffff81a05672 do_syscall_64 ([kernel.kallsyms])

                sluice-loop-0
                \t    7f8f7f93a000 StubRoutines (initialstubs) (/tmp/perf-1.map)
                \t    7f8f7f93a001 void dev.sluice.broker.api.ProduceRun.append() (/tmp/perf-1.map)
                """);

        assertThat(profile.table(8.0, "s/GiB"))
                .contains(
                        "| pwritev | 25% |",
                        "| preadv | 13% |",
                        "| sendfile64 | 13% |",
                        "| io_uring_enter | 13% |",
                        "| entering and leaving calls | 25% |",
                        "| CRC-32C | 13% |");
        assertThat(profile.samples()).hasSize(6);
    }
}
