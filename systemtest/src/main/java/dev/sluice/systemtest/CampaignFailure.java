package dev.sluice.systemtest;

import java.io.Serial;

/// Something that a campaign saw is not as it must be, or it was asked for what there is not. The message is all that
/// is shown.
final class CampaignFailure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    CampaignFailure(String message) {
        this(message, 1);
    }

    private CampaignFailure(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    /// Nothing was done yet: the arguments are wrong.
    static CampaignFailure usage(String message) {
        return new CampaignFailure(message, 2);
    }

    static void require(boolean condition, String message) {
        if (!condition) {
            throw new CampaignFailure(message);
        }
    }

    /// What the process ends with.
    int exitCode() {
        return exitCode;
    }
}
