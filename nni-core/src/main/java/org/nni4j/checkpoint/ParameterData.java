package org.nni4j.checkpoint;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Where a parameter file of DJL's holds which values.
 *
 * <p>DJL writes the parameters block by block, each array behind a header that has changed from
 * version to version, and blocks may write what they like in between. So nothing is parsed: values
 * count as found where a header begins, and their length and all their bytes stand soon after. What
 * is not found is written once more, so that the checkpoint is right whatever DJL does.
 */
final class ParameterData {

    private static final byte[] MARK = {0, 4, 'N', 'D', 'A', 'R'};

    /** No header is longer: a few short words, and twelve bytes for each dimension. */
    private static final int LONGEST_HEADER = 512;

    private final ByteBuffer file;
    private final List<Integer> headers = new ArrayList<>();
    private int next;

    ParameterData(byte[] file) {
        this.file = ByteBuffer.wrap(file);
        for (int i = 0; i <= file.length - MARK.length; i++) {
            if (file[i] == 0 && Arrays.equals(file, i, i + MARK.length, MARK, 0, MARK.length)) {
                headers.add(i);
            }
        }
    }

    /** The position of the first of some values; -1 if they are not in the file. */
    int find(ByteBuffer values) {
        // Parameters are asked for in about the order they were written in.
        for (int i = 0; i < headers.size(); i++) {
            int candidate = (next + i) % headers.size();
            int position = behind(headers.get(candidate), values);
            if (position >= 0) {
                next = candidate + 1;
                return position;
            }
        }
        return -1;
    }

    private int behind(int header, ByteBuffer values) {
        int length = values.remaining();
        int last = Math.min(header + LONGEST_HEADER, file.limit() - length - Integer.BYTES);
        for (int at = header; at <= last; at++) {
            int begin = at + Integer.BYTES;
            if (file.getInt(at) == length && file.slice(begin, length).equals(values)) {
                return begin;
            }
        }
        return -1;
    }
}
