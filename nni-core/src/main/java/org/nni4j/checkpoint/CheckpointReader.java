package org.nni4j.checkpoint;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.nni4j.checkpoint.Checkpoint.SavedLayer;
import org.nni4j.checkpoint.Checkpoint.SavedParameter;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;
import org.nni4j.config.QuantType;
import org.nni4j.fakequant.QuantizerState;

/**
 * Reads checkpoints that anybody may have written: what comes out is a checkpoint or a {@link
 * CheckpointException}, and no more memory is used than the file is large, times a constant.
 */
final class CheckpointReader {

    private static final byte[] DJL = "DJL@".getBytes(StandardCharsets.US_ASCII);

    private static final int MOST_DIMENSIONS = 32;

    private static final Set<DataType> TYPES =
            EnumSet.of(
                    DataType.FLOAT16,
                    DataType.BFLOAT16,
                    DataType.FLOAT32,
                    DataType.FLOAT64,
                    DataType.INT8,
                    DataType.UINT8,
                    DataType.INT32,
                    DataType.INT64,
                    DataType.BOOLEAN);

    private final byte[] file;
    private final int dataEnd;
    private final BodyReader body;

    private CheckpointReader(byte[] file, int bodyBegin, int bodyEnd) {
        this.file = file;
        this.dataEnd = bodyBegin;
        this.body = new BodyReader(ByteBuffer.wrap(file, bodyBegin, bodyEnd - bodyBegin));
    }

    static Checkpoint read(Path file) throws IOException {
        try {
            return read(bytes(file));
        } catch (CheckpointException e) {
            throw new CheckpointException(file.toString(), e.problems());
        }
    }

    private static byte[] bytes(Path file) throws IOException {
        BasicFileAttributes attributes =
                Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        if (!attributes.isRegularFile()) {
            throw new CheckpointException(
                    attributes.isSymbolicLink()
                            ? "is a symbolic link; expected the file itself"
                            : "is not a regular file");
        }
        try (SeekableByteChannel channel =
                Files.newByteChannel(
                        file, Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS))) {
            if (channel.size() > Checkpoint.MOST_BYTES) {
                throw new CheckpointException(
                        channel.size() + " bytes; expected at most " + Checkpoint.MOST_BYTES);
            }
            // Whatever has no footer is not read into memory.
            footer(lastBytes(channel), channel.size(), firstBytes(channel));
            return read(channel, 0, (int) channel.size());
        }
    }

    private static byte[] lastBytes(SeekableByteChannel channel) throws IOException {
        int length = (int) Math.min(Footer.BYTES, channel.size());
        return read(channel, channel.size() - length, length);
    }

    private static byte[] firstBytes(SeekableByteChannel channel) throws IOException {
        return read(channel, 0, (int) Math.min(DJL.length, channel.size()));
    }

    private static byte[] read(SeekableByteChannel channel, long position, int length)
            throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        channel.position(position);
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
        }
        return bytes.array();
    }

    static Checkpoint read(byte[] file) throws CheckpointException {
        byte[] last =
                Arrays.copyOfRange(file, Math.max(0, file.length - Footer.BYTES), file.length);
        byte[] first = Arrays.copyOf(file, Math.min(DJL.length, file.length));
        Footer footer = footer(last, file.length, first);
        int digested = file.length - Footer.DIGEST_BYTES - Footer.MAGIC.length;
        byte[] expected = Arrays.copyOfRange(file, digested, digested + Footer.DIGEST_BYTES);
        if (!Arrays.equals(Footer.digest(file, digested), expected)) {
            throw new CheckpointException(
                    "is damaged: its bytes do not give the checksum they were written with");
        }
        return body(file, (int) footer.body(), file.length - Footer.BYTES);
    }

    private static Footer footer(byte[] last, long length, byte[] first)
            throws CheckpointException {
        boolean marked =
                last.length == Footer.BYTES
                        && Arrays.equals(
                                last,
                                last.length - Footer.MAGIC.length,
                                last.length,
                                Footer.MAGIC,
                                0,
                                Footer.MAGIC.length);
        if (!marked) {
            throw new CheckpointException(
                    Arrays.equals(first, DJL)
                            ? "holds a model's parameters without a quantizer's state, or is cut"
                                    + " off; expected a file that saveCheckpoint wrote"
                            : "is not a checkpoint, or is cut off");
        }
        ByteBuffer fields = ByteBuffer.wrap(last);
        Footer footer = new Footer(fields.getInt(), fields.getLong());
        if (footer.version() < 1 || footer.version() > Checkpoint.FORMAT_VERSION) {
            throw new CheckpointException(
                    "format version "
                            + footer.version()
                            + " is not supported; expected 1.."
                            + Checkpoint.FORMAT_VERSION);
        }
        if (footer.body() < 0 || footer.body() > length - Footer.BYTES) {
            throw new CheckpointException("is damaged: its body begins outside the file");
        }
        return footer;
    }

    /** Reads a file whose checksum is not looked at. */
    static Checkpoint body(byte[] file, int begin, int end) throws CheckpointException {
        try {
            CheckpointReader reader = new CheckpointReader(file, begin, end);
            Checkpoint checkpoint = reader.checkpoint();
            reader.body.end();
            return checkpoint;
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new CheckpointException("is damaged: " + e.getMessage());
        }
    }

    private Checkpoint checkpoint() {
        return new Checkpoint(
                body.text(),
                body.number(1, Long.MAX_VALUE),
                body.number(Long.MIN_VALUE, Long.MAX_VALUE),
                body.text(),
                layers(),
                body.map(body::text),
                body.map(body::text),
                parameters(),
                quantizers(),
                body.flag() ? Optional.of(optimizer()) : Optional.empty());
    }

    private List<SavedLayer> layers() {
        List<SavedLayer> layers = body.list(() -> new SavedLayer(body.text(), body.text()));
        Set<String> paths = new HashSet<>();
        for (SavedLayer layer : layers) {
            once(paths.add(layer.path()), "layer \"" + layer.path() + "\"");
        }
        return layers;
    }

    private List<SavedParameter> parameters() {
        List<SavedParameter> parameters =
                body.list(() -> new SavedParameter(body.text(), body.text(), array()));
        Set<List<String>> names = new HashSet<>();
        for (SavedParameter p : parameters) {
            once(names.add(List.of(p.layer(), p.name())), "parameter \"" + p.name() + "\"");
        }
        return parameters;
    }

    private List<SavedQuantizer> quantizers() {
        List<SavedQuantizer> quantizers =
                body.list(() -> new SavedQuantizer(body.text(), quantType(), body.text(), state()));
        Set<String> names = new HashSet<>();
        for (SavedQuantizer quantizer : quantizers) {
            once(names.add(quantizer.toString()), quantizer.toString());
        }
        return quantizers;
    }

    private static void once(boolean first, String what) {
        if (!first) {
            throw new IllegalArgumentException(what + " is given twice");
        }
    }

    private QuantType quantType() {
        String key = body.text();
        for (QuantType type : QuantType.values()) {
            if (type.key().equals(key)) {
                return type;
            }
        }
        throw new IllegalArgumentException("unknown quant type");
    }

    private QuantizerState state() {
        Map<String, float[]> arrays = body.map(body::floats);
        return new QuantizerState(
                arrays, body.map(() -> body.number(Long.MIN_VALUE, Long.MAX_VALUE)));
    }

    private SavedOptimizer optimizer() {
        return new SavedOptimizer(
                body.text(),
                body.map(body::text),
                body.whole(0),
                body.map(() -> body.whole(0)),
                body.list(
                        () ->
                                new SavedOptimizer.State(
                                        body.text(),
                                        body.text(),
                                        body.text(),
                                        body.whole(-1),
                                        array())));
    }

    private SavedArray array() {
        DataType type = type(body.text());
        long[] shape = new long[body.count(MOST_DIMENSIONS)];
        long bytes = type.getNumOfBytes();
        for (int i = 0; i < shape.length; i++) {
            shape[i] = body.number(0, Integer.MAX_VALUE);
            bytes = Math.multiplyExact(bytes, shape[i]);
        }
        long position = body.number(0, dataEnd);
        if (bytes > dataEnd - position) {
            throw new IllegalArgumentException("an array reaches beyond the data");
        }
        ByteBuffer data = ByteBuffer.wrap(file, (int) position, (int) bytes);
        return new SavedArray(type, new Shape(shape), data.slice());
    }

    private static DataType type(String name) {
        for (DataType type : TYPES) {
            if (type.name().equals(name)) {
                return type;
            }
        }
        throw new IllegalArgumentException("unknown data type");
    }
}
