package org.nni4j.examples;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDList;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The state of float training after its latest epoch: parameters, momentum, and what was asked for.
 *
 * <p>Each epoch is a folder {@code epoch-NNNN} that appears whole, by a rename; the one before is
 * then deleted. Training that resumes gives the same network, bit for bit, as training that was
 * never interrupted.
 */
final class Checkpoints {
    private static final String PREFIX = "epoch-";
    private static final String VELOCITIES = "velocities.ndlist";
    private static final String SETTINGS = "training.json";

    private final Optional<Path> folder;
    private final boolean resume;

    private Checkpoints(Optional<Path> folder, boolean resume) {
        this.folder = folder;
        this.resume = resume;
    }

    /** Keeps nothing. */
    static Checkpoints none() {
        return new Checkpoints(Optional.empty(), false);
    }

    /**
     * Keeps the latest epoch.
     *
     * @param folder made if absent
     * @param resume whether training goes on from what the folder holds
     */
    static Checkpoints in(Path folder, boolean resume) {
        return new Checkpoints(Optional.of(folder), resume);
    }

    /** Loads the latest parameters and returns the number of epochs they have seen, 0 if none. */
    int loadModel(Model model, FloatTraining training, Batches batches) {
        Optional<Path> latest = latest();
        if (latest.isEmpty()) {
            return 0;
        }
        Path state = latest.get();
        try {
            String settings = Files.readString(state.resolve(SETTINGS));
            String asked = settings(training, batches);
            if (!settings.equals(asked) && !settings.equals(withoutBatches(training))) {
                throw new InputException(
                        String.format(
                                "%s: cannot resume training with %s; it was begun with %s",
                                state, asked, settings));
            }
            model.load(state, model.getName());
        } catch (MalformedModelException e) {
            throw new InputException(state + ": " + e.getMessage());
        } catch (IOException e) {
            throw InputException.unreadable(state, e);
        }
        return epochs(state);
    }

    /** Gives the optimizer the momentum that belongs to the loaded parameters. */
    void loadVelocities(Model model, NesterovSgd optimizer) {
        latest().ifPresent(state -> loadVelocities(model, optimizer, state.resolve(VELOCITIES)));
    }

    private static void loadVelocities(Model model, NesterovSgd optimizer, Path file) {
        try {
            NDList velocities = NDList.decode(model.getNDManager(), Files.readAllBytes(file));
            optimizer.restore(model.getBlock(), velocities);
        } catch (IOException e) {
            throw InputException.unreadable(file, e);
        } catch (RuntimeException e) {
            // what DJL's decoder throws depends on where the bytes are wrong
            throw new InputException(
                    file + ": is damaged, or of another network: " + e.getMessage());
        }
    }

    /** Keeps the state after an epoch, and only that. */
    void save(
            Model model,
            NesterovSgd optimizer,
            int epoch,
            FloatTraining training,
            Batches batches) {
        if (folder.isEmpty()) {
            return;
        }
        Path target = folder.get().resolve(String.format("%s%04d", PREFIX, epoch));
        try {
            Path partial = target.resolveSibling("partial");
            delete(partial);
            delete(target);
            Files.createDirectories(partial);
            model.save(partial, model.getName());
            Files.write(
                    partial.resolve(VELOCITIES), optimizer.velocities(model.getBlock()).encode());
            Files.writeString(partial.resolve(SETTINGS), settings(training, batches));
            Files.move(partial, target);
            for (Path older : epochFolders()) {
                if (!older.equals(target)) {
                    delete(older);
                }
            }
        } catch (IOException e) {
            throw InputException.unreadable(target, e);
        }
    }

    private Optional<Path> latest() {
        if (!resume) {
            return Optional.empty();
        }
        try {
            return epochFolders().stream().max(Comparator.comparingInt(Checkpoints::epochs));
        } catch (IOException e) {
            throw InputException.unreadable(folder.orElseThrow(), e);
        }
    }

    private List<Path> epochFolders() throws IOException {
        Path parent = folder.orElseThrow();
        if (!Files.isDirectory(parent)) {
            return List.of();
        }
        try (Stream<Path> children = Files.list(parent)) {
            return children.filter(p -> p.getFileName().toString().matches(PREFIX + "\\d{4,}"))
                    .toList();
        }
    }

    private static int epochs(Path state) {
        return Integer.parseInt(state.getFileName().toString().substring(PREFIX.length()));
    }

    /** The batches decide how many steps an epoch has, and with that where the schedule stands. */
    private static String settings(FloatTraining training, Batches batches) {
        JsonObject settings = new Gson().toJsonTree(training).getAsJsonObject();
        settings.addProperty("pictures", batches.images().size());
        settings.addProperty("batchSize", batches.batchSize());
        return settings.toString();
    }

    /** What was written before the batches were. */
    private static String withoutBatches(FloatTraining training) {
        return new Gson().toJson(training);
    }

    private static void delete(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            try (Stream<Path> children = Files.list(path)) {
                for (Path child : children.toList()) {
                    delete(child);
                }
            }
        }
        Files.deleteIfExists(path);
    }
}
