package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.nn.Block;
import com.google.common.io.MoreFiles;
import com.google.common.io.RecursiveDeleteOption;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Where a network's parameters go in DJL's format: {@code out/lenet} gives {@code
 * out/lenet-0000.params}.
 *
 * @param folder the folder
 * @param name the model's name there
 */
record ModelFiles(Path folder, String name) {

    /** Some writing, which leaves nothing behind when it fails. */
    @FunctionalInterface
    interface Writing {
        void write() throws IOException;
    }

    static ModelFiles at(Path modelPath) {
        return new ModelFiles(folder(modelPath), name(modelPath));
    }

    /** The file of a model without epoch. */
    Path parameters() {
        return folder.resolve(name + "-0000.params");
    }

    /**
     * Makes folders, which go again if what is written there fails.
     *
     * @throws IOException what went wrong, in clear words
     */
    static void inFolders(List<Path> needed, Writing writing) throws IOException {
        try (NewFolders folders = new NewFolders()) {
            for (Path folder : needed) {
                folders.create(folder);
            }
            writing.write();
            folders.keep();
        } catch (AccessDeniedException e) {
            FileSystemException clear =
                    new FileSystemException(
                            e.getFile(), null, "there is no permission to write this");
            clear.initCause(e);
            throw clear;
        }
    }

    /** Saves into an empty folder of any file system. */
    void save(Model model, Block block, Path into) throws IOException {
        if (into.getFileSystem().equals(FileSystems.getDefault())) {
            saveByDjl(model, block, into);
            return;
        }
        // DJL looks for older files by java.io.File, which other file systems do not have.
        Path own = Files.createTempDirectory("nni4j");
        try {
            saveByDjl(model, block, own);
            try (Stream<Path> files = Files.list(own)) {
                for (Path file : files.toList()) {
                    Files.copy(file, into.resolve(name(file)));
                }
            }
        } finally {
            MoreFiles.deleteRecursively(own, RecursiveDeleteOption.ALLOW_INSECURE);
        }
    }

    /** Saves through a second model, since saving changes the model's own idea of its folder. */
    private void saveByDjl(Model model, Block block, Path into) throws IOException {
        try (Model writer =
                Model.newInstance(name, model.getNDManager().getEngine().getEngineName())) {
            writer.setBlock(block);
            writer.setDataType(model.getDataType());
            model.getProperties().forEach(writer::setProperty);
            writer.save(into, name);
        }
    }

    /** Refuses a target that DJL would not load. */
    void check(Path target) throws IOException {
        refuseFolder(target);
        Pattern epoch = Pattern.compile(Pattern.quote(name) + "-(\\d{4,9})\\.params");
        int written = epoch(epoch, target);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> epoch(epoch, f) > written).sorted().toList()) {
                throw new FileSystemException(
                        file.toString(),
                        null,
                        "is what Model.load would take for newer than "
                                + name(target)
                                + "; write to another folder or name");
            }
        }
    }

    /** The number in a file's name by which DJL tells which one is the newest. */
    private static int epoch(Pattern pattern, Path file) {
        Matcher matcher = pattern.matcher(String.valueOf(file.getFileName()));
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    static Path folder(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IllegalArgumentException("\"" + file + "\" is not a file's path");
        }
        return folder;
    }

    static String name(Path file) {
        Path name = file.getFileName();
        if (name == null || name.toString().isEmpty()) {
            throw new IllegalArgumentException("\"" + file + "\" does not end with a name");
        }
        return name.toString();
    }

    static void refuseFolder(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new FileSystemException(
                    file.toString(), null, "is a folder; expected a file's path");
        }
    }
}
