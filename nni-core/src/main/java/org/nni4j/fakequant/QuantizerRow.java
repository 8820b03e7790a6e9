package org.nni4j.fakequant;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The quantizers of a layer's inputs, or of its outputs: one for each position, made when a tensor
 * first arrives there; or one for all of them.
 */
final class QuantizerRow implements AutoCloseable {

    private final String path;
    private final TensorTap.Side side;
    private final String what;
    private final IntFunction<TensorQuantizer> factory;
    private final Map<Integer, Made> made = new ConcurrentHashMap<>();
    private final Map<Integer, TensorQuantizer> byPosition = new ConcurrentSkipListMap<>();
    private volatile @Nullable TensorTap tap;

    /** A quantizer, and what it was before it saw anything. */
    private record Made(TensorQuantizer quantizer, QuantizerState fresh) {

        static Made of(TensorQuantizer quantizer) {
            return new Made(quantizer, quantizer.state());
        }
    }

    /**
     * Makes a row.
     *
     * @param path of the layer, or the traced name of the operator
     * @param side inputs or outputs
     * @param what how errors call it
     * @param factory makes the quantizer of a position
     */
    QuantizerRow(
            String path, TensorTap.Side side, String what, IntFunction<TensorQuantizer> factory) {
        this.path = path;
        this.side = side;
        this.what = what;
        this.factory = factory;
    }

    /**
     * Fake-quantizes each floating tensor; others, such as token ids, pass.
     *
     * @throws IllegalStateException if no tensor is a floating one
     */
    NDList quantize(NDList tensors, ForwardContext context) {
        NDList result = new NDList(tensors.size());
        boolean any = false;
        for (int i = 0; i < tensors.size(); i++) {
            NDArray tensor = tensors.get(i);
            if (tensor.getDataType().isFloating()) {
                any = true;
                NDArray quantized = quantize(i, tensor, context);
                if (quantized != tensor) {
                    quantized.setName(tensor.getName());
                }
                result.add(quantized);
            } else {
                result.add(tensor);
            }
        }
        if (!any && !tensors.isEmpty()) {
            throw notFloating(tensors);
        }
        return result;
    }

    private IllegalStateException notFloating(NDList tensors) {
        return new IllegalStateException(
                what
                        + ": "
                        + tensors.head().getDataType()
                        + " is not a floating type and cannot be quantized; leave it out of"
                        + " quant_types");
    }

    /**
     * Fake-quantizes the floating tensors by one range over all of them: they are laid end to end,
     * quantized, and taken apart again. Others pass. The first floating one has the quantizer.
     *
     * @throws IllegalStateException if no tensor is a floating one
     */
    NDList quantizeTogether(NDList tensors, ForwardContext context) {
        int[] floating =
                IntStream.range(0, tensors.size())
                        .filter(i -> tensors.get(i).getDataType().isFloating())
                        .toArray();
        NDList result = new NDList(tensors);
        if (tensors.isEmpty()) {
            return result;
        }
        if (floating.length == 0) {
            throw notFloating(tensors);
        }
        NDList flat = new NDList();
        long[] ends = new long[floating.length];
        long end = 0;
        for (int i = 0; i < floating.length; i++) {
            NDArray tensor = tensors.get(floating[i]);
            flat.add(tensor.flatten());
            end += tensor.size();
            ends[i] = end;
        }
        NDArray quantized = at(floating[0]).quantize(NDArrays.concat(flat), context);
        NDList parts = quantized.split(Arrays.copyOf(ends, ends.length - 1));
        for (int i = 0; i < floating.length; i++) {
            NDArray tensor = tensors.get(floating[i]);
            NDArray part = parts.get(i).reshape(tensor.getShape());
            part.setName(tensor.getName());
            result.set(floating[i], part);
            show(floating[i], part);
        }
        return result;
    }

    /** Fake-quantizes the tensor at a position. */
    NDArray quantize(int position, NDArray tensor, ForwardContext context) {
        NDArray quantized = at(position).quantize(tensor, context);
        show(position, quantized);
        return quantized;
    }

    /** Shows a tensor that was fake-quantized for a position to whoever looks on. */
    void show(int position, NDArray quantized) {
        TensorTap looking = tap;
        if (looking != null) {
            looking.seen(path, side, position, quantized);
        }
    }

    /** Shows what is quantized from now on to a tap, or to none. */
    void tap(@Nullable TensorTap looking) {
        tap = looking;
    }

    TensorQuantizer at(int position) {
        return byPosition.computeIfAbsent(position, p -> made(p).quantizer());
    }

    private Made made(int position) {
        return made.computeIfAbsent(position, p -> Made.of(factory.apply(p)));
    }

    /**
     * Goes back to before a tensor arrived anywhere but at the positions given. The quantizers
     * themselves are kept: a trainer may know what they learn.
     */
    void keepOnly(Set<Integer> positions) {
        made.forEach(
                (position, each) -> {
                    if (!positions.contains(position) && byPosition.remove(position) != null) {
                        each.quantizer().load(each.fresh());
                    }
                });
    }

    /**
     * Returns the quantizer of a position in a row that may not be there.
     *
     * @throws IllegalStateException if it is not
     */
    static TensorQuantizer at(@Nullable QuantizerRow row, String what, int position) {
        if (row == null) {
            throw new IllegalStateException(what + ": is not quantized");
        }
        return row.at(position);
    }

    Map<Integer, TensorQuantizer> byPosition() {
        return byPosition;
    }

    @Override
    public void close() {
        made.values().forEach(each -> each.quantizer().close());
        made.clear();
        byPosition.clear();
    }
}
