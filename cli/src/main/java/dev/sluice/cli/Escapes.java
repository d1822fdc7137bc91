package dev.sluice.cli;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Bytes as they are written in an option: `\n`, `\r`, `\t`, `\0`, `\\`, `\xHH`; everything else as UTF-8.
final class Escapes {
    private static final int HEX = 16;

    private Escapes() {}

    /// @param option names the option in the message about a bad escape
    static byte[] bytes(String option, String text) throws CommandFailure {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int at = 0;
        while (at < text.length()) {
            int backslash = text.indexOf('\\', at);
            if (backslash < 0) {
                backslash = text.length();
            }
            bytes.writeBytes(text.substring(at, backslash).getBytes(StandardCharsets.UTF_8));
            if (backslash == text.length()) {
                break;
            }
            char kind = backslash + 1 < text.length() ? text.charAt(backslash + 1) : ' ';
            at = backslash + 2;
            switch (kind) {
                case 'n' -> bytes.write('\n');
                case 'r' -> bytes.write('\r');
                case 't' -> bytes.write('\t');
                case '0' -> bytes.write(0);
                case '\\' -> bytes.write('\\');
                case 'x' -> {
                    bytes.write(hexByte(option, text, at));
                    at += 2;
                }
                default -> throw bad(option, text);
            }
        }
        return bytes.toByteArray();
    }

    private static int hexByte(String option, String text, int at) throws CommandFailure {
        int high = at < text.length() ? Character.digit(text.charAt(at), HEX) : -1;
        int low = at + 1 < text.length() ? Character.digit(text.charAt(at + 1), HEX) : -1;
        if (high < 0 || low < 0) {
            throw bad(option, text);
        }
        return high * HEX + low;
    }

    private static CommandFailure bad(String option, String text) {
        return CommandFailure.usage(
                option + " '" + text + "' has an escape that is none of \\n \\r \\t \\0 \\\\ \\xHH");
    }
}
