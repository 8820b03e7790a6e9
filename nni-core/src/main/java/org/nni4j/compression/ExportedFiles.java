package org.nni4j.compression;

import ai.djl.Model;
import ai.djl.nn.Block;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.nni4j.calibration.CalibrationConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An exported model: parameters and the calibration that belongs to them, in two files.
 *
 * <p>Two files cannot be replaced at once. So the new calibration comes first, beside the old one
 * and under a name made of the parameters' hash; then the parameters are replaced, and with them
 * everything is decided: whoever reads looks for the calibration whose hash is that of the
 * parameters, under either name. Last it takes the name that was asked for.
 */
final class ExportedFiles {

    private static final Logger logger = LoggerFactory.getLogger(ExportedFiles.class);

    /** Enough of the hash to tell exports apart. */
    private static final int HASH_IN_NAME = 16;

    /**
     * A file that comes with the two, and takes its place only if they do.
     *
     * @param staging where it was written
     * @param file complete, in the staging folder
     * @param target where it goes, beside the staging folder; not a folder
     */
    record Companion(Staging staging, Path file, Path target) {}

    private final ModelFiles model;
    private final Path calibrationFile;
    private final Path calibrationFolder;

    ExportedFiles(Path modelPath, Path calibrationFile) {
        this.model = ModelFiles.at(modelPath);
        this.calibrationFile = calibrationFile.toAbsolutePath();
        this.calibrationFolder = ModelFiles.folder(calibrationFile);
    }

    /** Where a calibration waits for its parameters. */
    static Path waiting(Path calibrationFile, String hash) {
        return calibrationFile.resolveSibling(
                "." + ModelFiles.name(calibrationFile) + "." + hash.substring(0, HASH_IN_NAME));
    }

    /**
     * Writes both.
     *
     * @param source gives properties and data type
     * @param block the network as it is to be saved
     * @param calibration with the hash of the network's parameters
     * @param companion comes with them; null for none
     * @throws IOException if a file cannot be written; then nothing was changed
     */
    void write(
            Model source, Block block, CalibrationConfig calibration, @Nullable Companion companion)
            throws IOException {
        ModelFiles.refuseFolder(calibrationFile);
        ModelFiles.inFolders(
                List.of(model.folder(), calibrationFolder),
                () -> stageAndMove(source, block, calibration, companion));
        sweep();
    }

    private void stageAndMove(
            Model source, Block block, CalibrationConfig calibration, @Nullable Companion companion)
            throws IOException {
        try (Staging staging = Staging.in(model.folder())) {
            if (calibrationFolder.equals(model.folder())) {
                stageAndMove(source, block, calibration, companion, staging, staging);
                return;
            }
            try (Staging beside = Staging.in(calibrationFolder)) {
                stageAndMove(source, block, calibration, companion, staging, beside);
            }
        }
    }

    private void stageAndMove(
            Model source,
            Block block,
            CalibrationConfig calibration,
            @Nullable Companion companion,
            Staging staging,
            Staging beside)
            throws IOException {
        try (Replacements replacements = new Replacements()) {
            model.save(source, block, staging.files());
            List<Path> saved = staging.written();
            Path text = beside.files().resolve("calibration");
            Files.writeString(text, calibration.toJson(), StandardCharsets.UTF_8);
            Durable.sync(text);
            Path waiting = waiting(calibrationFile, calibration.parametersHash());
            replacements.add(text, waiting, beside.files());
            if (companion != null) {
                Durable.sync(companion.file());
                refuseSame(companion.target(), calibrationFile, "the calibration goes");
                replacements.add(companion.file(), companion.target(), companion.staging().files());
            }
            for (Path file : saved) {
                Durable.sync(file);
                Path target = model.folder().resolve(ModelFiles.name(file));
                model.check(target);
                refuseSame(calibrationFile, target, "the parameters go");
                if (companion != null) {
                    refuseSame(companion.target(), target, "the parameters go");
                }
                replacements.add(file, target, staging.files());
            }
            replacements.add(waiting, calibrationFile, beside.files());
            replacements.carryOut();
        }
    }

    private static void refuseSame(Path file, Path taken, String what) throws FileSystemException {
        if (file.equals(taken)) {
            throw new FileSystemException(
                    file.toString(), null, "is where " + what + "; expected another path");
        }
    }

    /** Calibrations whose parameters never came, or were replaced. */
    private void sweep() {
        Pattern waiting =
                Pattern.compile(
                        Pattern.quote("." + ModelFiles.name(calibrationFile))
                                + "\\.[0-9a-f]{"
                                + HASH_IN_NAME
                                + "}");
        List<Path> old = new ArrayList<>();
        try (Stream<Path> files = Files.list(calibrationFolder)) {
            files.filter(f -> waiting.matcher(ModelFiles.name(f)).matches()).forEach(old::add);
            for (Path file : old) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            logger.warn("superseded calibrations {} stay behind", old, e);
        }
    }
}
