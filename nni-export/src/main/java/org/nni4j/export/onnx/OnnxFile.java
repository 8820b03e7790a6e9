package org.nni4j.export.onnx;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.CodedOutputStream;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** A graph as a file, written whole or not at all. */
public final class OnnxFile {

    /* The protobuf libraries of the readers refuse messages of 2 GiB. */
    private static final long MAX_BYTES = Integer.MAX_VALUE;

    private OnnxFile() {}

    /**
     * Writes a model to a temporary file beside the target and moves it there.
     *
     * @param graph complete
     * @param name the graph's name in the file
     * @param producerVersion the version of the writing program
     * @param file the target; replaced if it exists; its folder is made
     * @return the size in bytes
     * @throws IOException if it cannot be written; an earlier file is then left as it was
     * @throws IllegalArgumentException if the model is larger than a protobuf message may be
     */
    public static long write(OnnxGraph graph, String name, String producerVersion, Path file)
            throws IOException {
        ModelProto model = graph.model(name, producerVersion);
        long bytes = checkedSize(model);
        checkTarget(file);
        Path target = file.toAbsolutePath();
        Path folder = folder(file);
        // Earlier builds of JDK 17 refuse to make a folder that is there as a symbolic link.
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(folder);
        }
        // Not createTempFile: its files are readable by their owner only, and would stay so.
        Path temporary = folder.resolve(target.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(temporary))) {
                CodedOutputStream coded = CodedOutputStream.newInstance(out);
                // The same model gives the same bytes.
                coded.useDeterministicSerialization();
                model.writeTo(coded);
                coded.flush();
            }
            move(temporary, target);
        } finally {
            Files.deleteIfExists(temporary);
        }
        return bytes;
    }

    /**
     * Refuses a target that cannot be written, before the work whose result is to go there. Nothing
     * is made.
     *
     * @param file the target
     * @throws FileSystemException if it is a folder, or if something above it is no folder or may
     *     not be written
     * @throws IllegalArgumentException if the path has no file name
     */
    public static void checkTarget(Path file) throws FileSystemException {
        Path folder = folder(file);
        if (Files.isDirectory(file)) {
            throw new FileSystemException(
                    file.toString(), null, "is a folder; expected a file's path");
        }
        Path there = folder;
        while (there.getParent() != null && !Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
            there = there.getParent();
        }
        if (!Files.isDirectory(there)) {
            throw new FileSystemException(
                    there.toString(), null, "is no folder; expected a folder");
        }
        if (!Files.isWritable(there)) {
            throw new FileSystemException(
                    there.toString(), null, "there is no permission to write here");
        }
    }

    private static Path folder(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IllegalArgumentException("\"" + file + "\" is no file name");
        }
        return folder;
    }

    /**
     * Returns a model as it would be written.
     *
     * @param graph complete
     * @param name the graph's name in the file
     * @param producerVersion the version of the writing program
     * @return the bytes of the file
     * @throws IllegalArgumentException if the model is larger than a protobuf message may be
     */
    public static byte[] bytes(OnnxGraph graph, String name, String producerVersion) {
        ModelProto model = graph.model(name, producerVersion);
        checkedSize(model);
        return model.toByteArray();
    }

    /* The protobuf library counts in int; a sum over the tensors sees an overflow coming. */
    private static long checkedSize(ModelProto model) {
        checkSize(
                model.getGraph().getInitializerList().stream()
                        .mapToLong(t -> t.getRawData().size())
                        .sum());
        long bytes = model.getSerializedSize();
        checkSize(bytes < 0 ? MAX_BYTES + 1 : bytes);
        return bytes;
    }

    static void checkSize(long bytes) {
        if (bytes > MAX_BYTES) {
            throw new IllegalArgumentException(
                    "the model has "
                            + bytes
                            + " bytes; expected less than 2 GiB, the most a protobuf file can"
                            + " hold");
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }
}
