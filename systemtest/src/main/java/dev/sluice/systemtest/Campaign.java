package dev.sluice.systemtest;

import java.util.Arrays;

/// What `bin/campaign` starts: one campaign by its name, which ends the process with 0 when every step held, and with 1
/// when one did not. What a campaign can't go on after is told in one line; a stack trace is a bug of the campaign's.
public final class Campaign {
    private Campaign() {}

    /// @param arguments the campaign's name, the repository's root, what the campaign takes
    public static void main(String[] arguments) throws Exception {
        String[] rest = Arrays.copyOfRange(arguments, 1, arguments.length);
        try {
            switch (arguments[0]) {
                case "main-job" -> MainJob.main(rest);
                case "crash" -> CrashCampaign.main(rest);
                case "simulate" -> SimulatorCampaign.main(rest);
                case "stall" -> StallCampaign.main(rest);
                case "methods" -> MethodsCampaign.main(rest);
                case "recovery" -> RecoveryCampaign.main(rest);
                case "limits" -> LimitsCampaign.main(rest);
                case "soak" -> SoakCampaign.main(rest);
                case "compatibility" -> Compatibility.main(rest);
                default -> throw CampaignFailure.usage("there is no such campaign; bin/campaign alone lists them");
            }
        } catch (CampaignFailure e) {
            System.err.println("bin/campaign " + arguments[0] + ": " + e.getMessage());
            System.exit(e.exitCode());
        }
    }
}
