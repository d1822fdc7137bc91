package dev.sluice.bench.tools;

import java.util.regex.Pattern;

/// The kernel's copy loops on x86-64 and aarch64, by the names they have had from Linux 5.10 to 6.18.
public final class KernelCopies {
    private static final Pattern COPY = Pattern.compile(
            "_?_?(arch_)?(raw_)?(inline_)?copy_(to|from)_user.*|_?copy_(to|from)_iter.*|copy_page_(to|from)_iter.*|copy_user_.*"
                    + "|rep_movs.*|__?memcpy.*|memcpy.*|__pi_memcpy.*|skb_copy_(bits|datagram.*|and_csum.*|expand|to_.*)|__skb_datagram_iter|copy_folio.*|copy_page.*"
                    + "|copyin|copyout|__arch_copy_(to|from)_user|csum_and_copy_.*|csum_partial_copy.*");

    private KernelCopies() {}

    /// Whether a kernel function of this name copies bytes.
    public static boolean isCopy(String function) {
        return COPY.matcher(function).matches();
    }
}
