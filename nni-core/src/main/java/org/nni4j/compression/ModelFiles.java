package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.nn.Block;
import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * Writes an exported model so that each file appears whole or not at all: everything is written
 * into a folder beside the target first, and moved when it is complete.
 */
final class ModelFiles {

    private ModelFiles() {}

    /**
     * Writes a network's parameters in DJL's format, and a text beside them.
     *
     * @param model gives properties and data type
     * @param block the network as it is to be saved
     * @param modelPath folder and name: {@code out/lenet} gives {@code out/lenet-0000.params}
     * @param textFile where the text goes
     * @param text the text
     * @throws IOException if a file cannot be written; then nothing was changed
     */
    static void write(Model model, Block block, Path modelPath, Path textFile, String text)
            throws IOException {
        Path folder = folder(modelPath);
        Path textFolder = folder(textFile);
        String name = name(modelPath);
        refuseFolder(textFile);
        Files.createDirectories(folder);
        Files.createDirectories(textFolder);
        Path staging = Files.createTempDirectory(folder, ".export");
        Path stagedText = Files.createTempFile(textFolder, ".export", ".tmp");
        try {
            Files.writeString(stagedText, text, StandardCharsets.UTF_8);
            List<Path> saved = save(model, block, staging, name);
            for (Path file : saved) {
                refuseFolder(folder.resolve(name(file)));
            }
            for (Path file : saved) {
                move(file, folder.resolve(name(file)));
            }
            move(stagedText, textFile);
        } finally {
            Files.deleteIfExists(stagedText);
            MoreFiles.deleteRecursively(staging, RecursiveDeleteOption.ALLOW_INSECURE);
        }
    }

    /** Saves through a second model, since saving changes the model's own idea of its folder. */
    private static List<Path> save(Model model, Block block, Path folder, String name)
            throws IOException {
        try (Model writer =
                Model.newInstance(name, model.getNDManager().getEngine().getEngineName())) {
            writer.setBlock(block);
            writer.setDataType(model.getDataType());
            model.getProperties().forEach(writer::setProperty);
            writer.save(folder, name);
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    private static Path folder(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IllegalArgumentException("\"" + file + "\" is not a file's path");
        }
        return folder;
    }

    private static String name(Path file) {
        Path name = file.getFileName();
        if (name == null || name.toString().isEmpty()) {
            throw new IllegalArgumentException("\"" + file + "\" does not end with a name");
        }
        return name.toString();
    }

    private static void refuseFolder(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FileAlreadyExistsException(
                    file.toString(), null, "is a folder; expected a file's path");
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
