package dev.sluice.bench.tools;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

class KernelCopiesTest {
    @Test
    void handlingOfPagesWithoutCopyingIsNotCopying() {
        assertThat((Predicate<String>) KernelCopies::isCopy)
                .rejects("splice_to_socket", "filemap_splice_read", "sock_sendmsg", "copy_process", "skb_copy_header")
                .accepts("copy_user_generic_string", "_copy_to_iter", "skb_copy_datagram_iter", "memcpy_orig");
    }
}
