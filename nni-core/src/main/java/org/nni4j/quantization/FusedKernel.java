package org.nni4j.quantization;

import static java.util.stream.Collectors.joining;
import static org.nni4j.quantization.FusedSource.lines;

import java.util.stream.IntStream;

/**
 * One kernel, specialised: everything that does not change from step to step is a constant in its
 * TorchScript source. {@link FusedSource} holds the pieces, and explains them.
 */
sealed interface FusedKernel {

    /**
     * Returns the module's only method, {@code forward}.
     *
     * @return TorchScript source
     */
    String source();

    /** Returns {@code [number]}: the sum of libtorch's counts of changes in place. */
    record Changes(int arrays) implements FusedKernel {
        @Override
        public String source() {
            String inputs =
                    IntStream.range(0, arrays)
                            .mapToObj(i -> "x" + i + ": Tensor")
                            .collect(joining(", "));
            String sum =
                    IntStream.range(0, arrays)
                            .mapToObj(i -> "torch._version(x" + i + ")")
                            .reduce((a, b) -> "torch.add(" + a + ", " + b + ")")
                            .orElseThrow();
            return FusedSource.method(inputs, "n = " + sum, "return [torch.tensor(n)]");
        }
    }

    /** Returns {@code [1]} if backward would reach x, or {@code [0]}. */
    record Differentiated() implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor", "n = int(ops.prim.requires_grad(x))", "return [torch.tensor(n)]");
        }
    }

    /** Returns {@code [min, max]}. */
    record Range(int rank, int axis) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor", FusedSource.range(rank, axis), "return [min, max]");
        }
    }

    /** Returns {@code [min, max]}. */
    record Track(int rank, int axis, double decay) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor, low: Tensor, high: Tensor",
                    FusedSource.range(rank, axis),
                    FusedSource.track(decay),
                    "return [min, max]");
        }
    }

    /** Returns {@code [scale, zero point]}. */
    record Parameters(QuantizedType type, boolean affine) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "min: Tensor, max: Tensor",
                    FusedSource.parameters(type, affine),
                    "return [scale, zp]");
        }
    }

    /** Returns {@code [value, min, max, scale, zero point]}, for a tensor by its own range. */
    record Observe(QuantizedType type, boolean affine, int rank, int axis) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor",
                    FusedSource.range(rank, axis),
                    FusedSource.parameters(type, affine),
                    affine
                            ? FusedSource.broadcast(rank, axis)
                            : FusedSource.broadcastScale(rank, axis),
                    "c = torch.clone(torch.to(x, 6))",
                    affine
                            ? FusedSource.quantize(type.qmin(), type.qmax(), axis)
                            : FusedSource.quantizeOwnRange(type),
                    "return [torch.type_as(c, x), min, max, scale, zp]");
        }
    }

    /** Returns {@code [value]}, for a tensor by its own range and a symmetric scheme. */
    record OwnRange(QuantizedType type, int rank, int axis) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor",
                    "f = torch.to(x, 6)",
                    // Infinity and NaN need not be told apart here: either makes all values NaN.
                    FusedSource.ownScale(type, rank, axis),
                    "c = torch.clone(f)",
                    FusedSource.quantizeOwnRange(type),
                    "return [torch.type_as(c, x)]");
        }
    }

    /**
     * For a tensor by a tracked range: returns {@code [value, min, max, scale, zero point]}, or
     * writes all but the value over those that are kept and returns {@code [value]}. The range so
     * far is given if the decay is not 0, and the kept parameters if they are to be written.
     */
    record ObserveTracked(
            QuantizedType type, boolean affine, int rank, int axis, double decay, boolean kept)
            implements FusedKernel {
        @Override
        public String source() {
            String before = decay == 0 ? "" : ", low: Tensor, high: Tensor";
            return FusedSource.method(
                    "x: Tensor" + before + (kept ? ", oldScale: Tensor, oldZp: Tensor" : ""),
                    FusedSource.range(rank, axis),
                    decay == 0 ? "" : FusedSource.track(decay),
                    FusedSource.parameters(type, affine),
                    FusedSource.broadcast(rank, axis),
                    "f = torch.to(x, 6)",
                    FusedSource.carryRounded(type.qmin(), type.qmax(), axis),
                    FusedSource.quantize(type.qmin(), type.qmax(), axis),
                    kept ? keep() : "return [torch.type_as(c, x), min, max, scale, zp]");
        }

        private static String keep() {
            return lines(
                    "low = torch.copy_(low, min)",
                    "high = torch.copy_(high, max)",
                    "oldScale = torch.copy_(oldScale, scale)",
                    "oldZp = torch.copy_(oldZp, zp)",
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}. */
    record FakeQuantize(int qmin, int qmax, int rank, int axis) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor, scale: Tensor, zp: Tensor",
                    FusedSource.broadcast(rank, axis),
                    "f = torch.to(x, 6)",
                    FusedSource.carryRounded(qmin, qmax, axis),
                    FusedSource.quantize(qmin, qmax, axis),
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}. */
    record QuantizeDequantize(int qmin, int qmax, int rank, int axis) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor, scale: Tensor, zp: Tensor",
                    FusedSource.broadcast(rank, axis),
                    "c = torch.clone(torch.to(torch.detach(x), 6))",
                    FusedSource.quantize(qmin, qmax, axis),
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}; zp is given if there is an offset. */
    record LearnedStep(int qmin, int qmax, int rank, int axis, boolean offset)
            implements FusedKernel {
        @Override
        public String source() {
            boolean perTensor = axis == QuantizationParameters.PER_TENSOR;
            return FusedSource.method(
                    "x: Tensor, step: Tensor, factor: Tensor" + (offset ? ", offset: Tensor" : ""),
                    "scale = torch.clamp_min(torch.detach(step), "
                            + AffineQuantization.EPSILON
                            + ")",
                    offset
                            ? lines(zeroPoint(), FusedSource.broadcast(rank, axis))
                            : FusedSource.broadcastAroundZero(rank, axis),
                    perTensor ? FusedSource.FLATTEN : "f = torch.to(x, 6)",
                    "d = torch.detach(f)",
                    FusedSource.carryExact(qmin, qmax, axis),
                    FusedSource.quantizeExact(),
                    // The step size's coefficient times s: no quotient of x is needed for it.
                    FusedSource.insideOrZero(axis),
                    "k = torch.sub(t, k, out=k)",
                    "ds = torch.sub(step, torch.detach(step))",
                    perTensor
                            ? FusedSource.addDot("k", "ds", "torch.div(float(factor), sf)")
                            : lines(
                                    "ds = torch.div(torch.mul(ds, factor), scale)",
                                    FusedSource.addGradient("k", "ds", rank, axis)),
                    offset ? offsetGradient() : "",
                    perTensor ? FusedSource.UNFLATTEN : "",
                    "return [torch.type_as(c, x)]");
        }

        private String zeroPoint() {
            return "zp = torch.clamp(torch.round(torch.detach(offset)), "
                    + qmin
                    + ", "
                    + qmax
                    + ")";
        }

        private String offsetGradient() {
            return lines(
                    FusedSource.OUTSIDE,
                    "o = torch.mul_(torch.to(o, 6), torch.neg(s))",
                    "dz = torch.sub(offset, torch.detach(offset))",
                    FusedSource.addGradient("o", "dz", rank, axis));
        }
    }

    /** Returns {@code [value]}. */
    record Binarize(boolean saturating) implements FusedKernel {
        @Override
        public String source() {
            // The next float after 1: hardtanh's backward excludes its bounds.
            String bound = saturating ? "1.0000001" : FusedSource.LARGEST;
            return FusedSource.method(
                    "x: Tensor",
                    "c = torch.hardtanh(torch.to(x, 6), -" + bound + ", " + bound + ")",
                    "t = torch.detach(c)",
                    "nan = torch.mul(t, 0.)",
                    FusedSource.SIGN,
                    "t = torch.add_(t, nan)",
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}. */
    record ScaledSign() implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor",
                    "f = torch.to(x, 6)",
                    "mean = torch.mean(torch.abs(torch.detach(f)))",
                    FusedSource.CARRY_FINITE,
                    "t = torch.detach(c)",
                    FusedSource.SIGN,
                    "t = torch.mul_(t, mean)",
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}. */
    record TanhQuantize(int levels, boolean differentiated) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor",
                    "f = torch.to(x, 6)",
                    "a = torch.tanh(" + (differentiated ? "f" : "torch.detach(f)") + ")",
                    "m = torch.max(torch.abs(a))",
                    "m = torch.clamp_min(m, " + AffineQuantization.EPSILON + ")",
                    "u = torch.add(torch.div(a, torch.mul(m, 2.)), 0.5)",
                    "v = torch.round_(torch.mul(torch.detach(u), " + levels + ".))",
                    "v = torch.sub_(torch.div_(torch.mul_(v, 2.), " + levels + ".), 1.)",
                    differentiated ? "c = torch.mul(u, 2.)" : FusedSource.CARRY_FINITE,
                    "t = torch.copy_(torch.detach(c), v)",
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}. */
    record UnitQuantize(int levels) implements FusedKernel {
        @Override
        public String source() {
            return FusedSource.method(
                    "x: Tensor",
                    // Just outside 0 and 1: hardtanh's backward excludes its bounds.
                    "c = torch.hardtanh(torch.to(x, 6), -1e-30, 1.0000001)",
                    "t = torch.clamp_(torch.detach(c), 0., 1.)",
                    "t = torch.round_(torch.mul_(t, " + levels + ".))",
                    "t = torch.div_(t, " + levels + ".)",
                    "return [torch.type_as(c, x)]");
        }
    }

    /** Returns {@code [value]}. */
    record ClippedQuantize(int levels) implements FusedKernel {
        @Override
        public String source() {
            int axis = QuantizationParameters.PER_TENSOR;
            return FusedSource.method(
                    "x: Tensor, level: Tensor",
                    FusedSource.FLATTEN,
                    "a = torch.clamp_min(torch.detach(level), " + AffineQuantization.EPSILON + ")",
                    "c = torch.hardtanh(f, 0., float(a))",
                    "s = torch.div(a, " + levels + ".)",
                    "t = torch.round_(torch.div_(torch.detach(c), s))",
                    "t = torch.mul_(torch.clamp_(t, 0., " + levels + ".), s)",
                    "o = torch.to(torch.ge(torch.detach(f), a), 6)",
                    "da = torch.sub(level, torch.detach(level))",
                    FusedSource.addGradient("o", "da", 1, axis),
                    FusedSource.UNFLATTEN,
                    "return [torch.type_as(c, x)]");
        }
    }
}
