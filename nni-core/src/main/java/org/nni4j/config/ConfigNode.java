package org.nni4j.config;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A value of a config list before it is checked, whether it came from JSON, from maps or from the
 * builder.
 *
 * <p>{@code toString} shows the value as JSON, shortened, for error messages.
 */
sealed interface ConfigNode {

    /** What the value is, for instance {@code is a string}. */
    String kind();

    /** Key and value pairs; of equal keys the first is kept. */
    record Members(Map<String, ConfigNode> values) implements ConfigNode {
        public Members {
            values = ImmutableMap.copyOf(values);
        }

        @Override
        public String kind() {
            return "is an object";
        }

        @Override
        public String toString() {
            return MessageText.shorten(
                    values.entrySet().stream()
                            .limit(MessageText.SHOWN)
                            .map(
                                    member ->
                                            MessageText.quote(member.getKey())
                                                    + ": "
                                                    + member.getValue())
                            .collect(Collectors.joining(", ", "{", "}")));
        }
    }

    /** Values in order. */
    record Elements(List<ConfigNode> values) implements ConfigNode {
        public Elements {
            values = ImmutableList.copyOf(values);
        }

        @Override
        public String kind() {
            return "is an array";
        }

        @Override
        public String toString() {
            return MessageText.shorten(
                    values.stream()
                            .limit(MessageText.SHOWN)
                            .map(ConfigNode::toString)
                            .collect(Collectors.joining(", ", "[", "]")));
        }
    }

    /** A string. */
    record Text(String value) implements ConfigNode {
        @Override
        public String kind() {
            return "is a string";
        }

        @Override
        public String toString() {
            return MessageText.quote(value);
        }
    }

    /**
     * A number as it was written, so that nothing is lost; or {@code NaN} or {@code Infinity} from
     * a map.
     */
    record Literal(String value) implements ConfigNode {

        /** The exact value, or null for what is not finite or has an absurd exponent. */
        @Nullable BigDecimal exact() {
            try {
                return new BigDecimal(value);
            } catch (NumberFormatException e) {
                return null;
            }
        }

        /** The nearest double; infinite if too large. */
        double approximate() {
            return Double.parseDouble(value);
        }

        /** Whether it is written without fraction and exponent. */
        boolean isPlainInteger() {
            return value.chars().allMatch(c -> c == '-' || (c >= '0' && c <= '9'));
        }

        @Override
        public String kind() {
            return "is a number";
        }

        @Override
        public String toString() {
            return MessageText.shorten(value);
        }
    }

    /** True or false. */
    record Flag(boolean value) implements ConfigNode {
        @Override
        public String kind() {
            return "is a boolean";
        }

        @Override
        public String toString() {
            return Boolean.toString(value);
        }
    }

    /** Something that no config list can hold: null, or a Java object of another kind. */
    record Foreign(String what) implements ConfigNode {
        @Override
        public String kind() {
            return "is no config value";
        }

        @Override
        public String toString() {
            return what;
        }
    }
}
