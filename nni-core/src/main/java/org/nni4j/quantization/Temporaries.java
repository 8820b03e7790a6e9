package org.nni4j.quantization;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;

/**
 * Closes the arrays that are created while it is open, whichever manager owns them, except those
 * kept. Autograd holds by itself what it needs of them.
 */
final class Temporaries implements AutoCloseable {

    private final NDScope scope = new NDScope();
    private NDList kept = new NDList();

    NDArray keep(NDArray result) {
        return keep(new NDList(result)).get(0);
    }

    NDList keep(NDList results) {
        NDScope.unregister(results);
        kept = results;
        return results;
    }

    @Override
    public void close() {
        scope.close();
        // A scope of the caller's must find the results, as it would without this one.
        kept.forEach(NDScope::register);
    }
}
