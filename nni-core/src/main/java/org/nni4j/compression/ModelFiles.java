package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.nn.Block;
import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Writes an exported model so that all of its files appear, or none: everything is written beside
 * the targets first, and moved when it is complete.
 */
final class ModelFiles {

    private final Path modelFolder;
    private final String name;
    private final Path textFile;
    private final Path textFolder;

    private ModelFiles(Path modelPath, Path textFile) {
        this.modelFolder = folder(modelPath);
        this.name = name(modelPath);
        this.textFile = textFile.toAbsolutePath();
        this.textFolder = folder(textFile);
    }

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
        ModelFiles files = new ModelFiles(modelPath, textFile);
        refuseFolder(textFile);
        try (NewFolders folders = new NewFolders()) {
            folders.create(files.modelFolder);
            folders.create(files.textFolder);
            files.stageAndMove(model, block, text);
            folders.keep();
        } catch (AccessDeniedException e) {
            FileSystemException clear =
                    new FileSystemException(
                            e.getFile(), null, "there is no permission to write this");
            clear.initCause(e);
            throw clear;
        }
    }

    private void stageAndMove(Model model, Block block, String text) throws IOException {
        Path staging = Files.createTempDirectory(modelFolder, ".export");
        Path textStaging = null;
        try (Replacements replacements = new Replacements()) {
            textStaging = Files.createTempDirectory(textFolder, ".export");
            Path stagedText = textStaging.resolve("text");
            Files.writeString(stagedText, text, StandardCharsets.UTF_8);
            for (Path saved : save(model, block, staging)) {
                Path target = modelFolder.resolve(name(saved));
                check(target);
                replacements.add(saved, target);
            }
            replacements.add(stagedText, textFile);
            replacements.carryOut();
        } finally {
            MoreFiles.deleteRecursively(staging, RecursiveDeleteOption.ALLOW_INSECURE);
            if (textStaging != null) {
                MoreFiles.deleteRecursively(textStaging, RecursiveDeleteOption.ALLOW_INSECURE);
            }
        }
    }

    /** Saves through a second model, since saving changes the model's own idea of its folder. */
    private List<Path> save(Model model, Block block, Path folder) throws IOException {
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

    private void check(Path target) throws IOException {
        refuseFolder(target);
        if (target.equals(textFile)) {
            throw new FileSystemException(
                    target.toString(), null, "is where the parameters go; expected another path");
        }
        Pattern epoch = Pattern.compile(Pattern.quote(name) + "-(\\d{4,9})\\.params");
        int written = epoch(epoch, target);
        try (Stream<Path> files = Files.list(modelFolder)) {
            for (Path file : files.filter(f -> epoch(epoch, f) > written).sorted().toList()) {
                throw new FileSystemException(
                        file.toString(),
                        null,
                        "is what Model.load would take for newer than "
                                + name(target)
                                + "; export to another folder or name");
            }
        }
    }

    /** The number in a file's name by which DJL tells which one is the newest. */
    private static int epoch(Pattern pattern, Path file) {
        Matcher matcher = pattern.matcher(String.valueOf(file.getFileName()));
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
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
            throw new FileSystemException(
                    file.toString(), null, "is a folder; expected a file's path");
        }
    }
}
