package org.nni4j.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads Java maps, collections and scalars, written as in JSON, into nodes. */
final class MapTree {

    /** What Java's own numbers, and those of JSON libraries, write. */
    private static final Pattern NUMBER =
            Pattern.compile("-?([0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)?|NaN|Infinity)");

    private final TreeBudget budget = new TreeBudget();

    private MapTree() {}

    /**
     * Reads a value with everything below it.
     *
     * @throws ConfigException if it is too large or too deep
     */
    static ConfigNode read(@Nullable Object value, String path) {
        return new MapTree().value(value, path, 1);
    }

    private ConfigNode value(@Nullable Object value, String path, int depth) {
        budget.enter(path, depth);
        if (value instanceof Map<?, ?> map) {
            return members(map, path, depth);
        }
        if (value instanceof Collection<?> collection) {
            return elements(collection, path, depth);
        }
        if (value instanceof Object[] array) {
            return elements(Arrays.asList(array), path, depth);
        }
        if (value instanceof String text) {
            return new ConfigNode.Text(TreeBudget.text(text, path));
        }
        if (value instanceof Boolean flag) {
            return new ConfigNode.Flag(flag);
        }
        if (value instanceof Number number && NUMBER.matcher(number.toString()).matches()) {
            return TreeBudget.number(number.toString(), path);
        }
        return new ConfigNode.Foreign(value == null ? "null" : value.getClass().getName());
    }

    private ConfigNode members(Map<?, ?> map, String path, int depth) {
        Map<String, ConfigNode> members = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!(entry.getKey() instanceof String key)) {
                Object other = entry.getKey();
                String kind = other == null ? "null" : other.getClass().getName();
                throw new ConfigException(
                        path, "a key of type " + kind + "; expected strings as keys");
            }
            String member = MessageText.member(path, TreeBudget.text(key, path));
            members.put(key, value(entry.getValue(), member, depth + 1));
        }
        return new ConfigNode.Members(members);
    }

    private ConfigNode elements(Collection<?> collection, String path, int depth) {
        List<ConfigNode> elements = new ArrayList<>();
        for (Object element : collection) {
            elements.add(value(element, MessageText.element(path, elements.size()), depth + 1));
        }
        return new ConfigNode.Elements(elements);
    }
}
