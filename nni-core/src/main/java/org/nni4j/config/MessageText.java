package org.nni4j.config;

import java.util.regex.Pattern;

/** How messages write paths and values: short, on one line, whatever the user's text holds. */
final class MessageText {

    /** The most characters of a value that a message shows. */
    static final int SHOWN = 60;

    private static final Pattern PLAIN_KEY = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private MessageText() {}

    /** Extends a path by a key: {@code config[0].quant_bits}. */
    static String member(String path, String key) {
        boolean plain = key.length() <= SHOWN && PLAIN_KEY.matcher(key).matches();
        return plain ? path + "." + key : path + "[" + quote(key) + "]";
    }

    /** Extends a path by an index: {@code config[0].op_names[2]}. */
    static String element(String path, int index) {
        return path + "[" + index + "]";
    }

    /** Shows a string in quotes, with all but printable characters escaped. */
    static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : shorten(text).toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (Character.isISOControl(c)) {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }

    static String shorten(String text) {
        if (text.length() <= SHOWN) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(SHOWN - 1)) ? SHOWN - 1 : SHOWN;
        return text.substring(0, end) + "…";
    }
}
