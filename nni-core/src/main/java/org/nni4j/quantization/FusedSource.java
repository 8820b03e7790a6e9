package org.nni4j.quantization;

import static java.util.stream.Collectors.joining;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The pieces that {@link FusedKernel}s are written with: lines of TorchScript, in the dialect of
 * {@code torch.jit.save}, that set variables for the lines that follow. {@code torch.to(x, 6)}
 * means float32, {@code torch.to(x, 3)} int32.
 */
final class FusedSource {

    /* How a straight-through estimator comes to cost as little as this.
     *
     * Autograd needs an operator whose backward is "pass between two bounds": hardtanh, one
     * vectorised pass, which keeps x and not its result. So its result's memory is ours, and the
     * quantized value is computed in it, in place, through a detached alias that autograd does not
     * watch. No mask is stored, no 0 added to the value, and nothing is allocated but the result.
     * Where all gradients pass, clone does the same, and its backward costs nothing. This operator
     * is said to "carry" the gradient below; its result is c.
     *
     * Learned parameters get their gradient from an addmv with 0 = s - detach(s): its forward changes
     * nothing, and its backward is a dot product.
     *
     * Not used: torch.fake_quantize_per_tensor_affine and its relatives. In libtorch 2.7.1 their
     * loops are not vectorised; they multiply by 1 / s, which moves ties; convert to int64 before they
     * clamp, which turns NaN, +infinity and 1e30 into qmin; give LSQ's "inside" gradients to x / s in
     * (qmax, qmax + 0.5), where the paper has "outside"; and round a negative learned zero point one
     * way forward and another way backward.
     *
     * Bounds are products where the formula has quotients; a tolerance keeps values that lie on a
     * bound on the side that the formula has them.
     */

    /** The largest float32, rounded down so that libtorch can convert it back. */
    static final String LARGEST = "3.4028234e38";

    /** Sets c, which carries f's gradient wherever f is finite. */
    static final String CARRY_FINITE = "c = torch.hardtanh(f, -" + LARGEST + ", " + LARGEST + ")";

    /** Turns t, in place, into -1 below 0 and 1 elsewhere. */
    static final String SIGN = "t = torch.sign_(torch.add_(torch.sign_(t), 0.5))";

    /** Sets o to whether d is outside the bounds. */
    static final String OUTSIDE = "o = torch.logical_or(torch.le(d, below), torch.ge(d, above))";

    /**
     * Sets f to x as float32 and flat, for addmv. A picture whose channels lie beside each other is
     * read in that order, not copied: its convolutions get their inputs as they like them.
     */
    static final String FLATTEN =
            """
            f = torch.to(x, 6)
            channelsLast = torch.eq(torch.dim(f), 4)
            if torch.is_contiguous(f):
              channelsLast = False
            if channelsLast:
              f = torch.permute(f, [0, 2, 3, 1])
            sizes = torch.size(f)
            f = torch.reshape(f, [-1])\
            """;

    /** Gives c, which is flat, the shape that {@link #FLATTEN} took, and x's order in memory. */
    static final String UNFLATTEN =
            """
            c = torch.reshape(c, sizes)
            if channelsLast:
              c = torch.permute(c, [0, 3, 1, 2])\
            """;

    /** The shape (); a bare [] would be a list of tensors. */
    private static final String SCALAR = "annotate(List[int], [])";

    private FusedSource() {}

    /** Joins lines; empty ones go. */
    static String lines(String... lines) {
        return Arrays.stream(lines).filter(line -> !line.isEmpty()).collect(joining("\n"));
    }

    /** Makes lines a method that returns a list of tensors. */
    static String method(String inputs, String... lines) {
        return "def forward(self: __torch__.Kernel, "
                + inputs
                + ") -> List[Tensor]:\n"
                + lines(lines).indent(2);
    }

    /** Sets min and max from x. */
    static String range(int rank, int axis) {
        if (axis == QuantizationParameters.PER_TENSOR) {
            return lines(
                    "d = torch.detach(x)",
                    // Two passes, and yet faster than aminmax, which is not vectorised.
                    "min = torch.reshape(torch.to(torch.amin(d), 6), [1])",
                    "max = torch.reshape(torch.to(torch.amax(d), 6), [1])");
        }
        String others = others(rank, axis);
        String reduced =
                axis == 0
                        // A column more, so that a vector's single numbers can be reduced too.
                        ? "a, b = torch.aminmax(torch.flatten(torch.unsqueeze(d, -1), 1), dim=1)"
                        : lines(
                                "a = torch.amin(d, " + others + ")",
                                "b = torch.amax(d, " + others + ")");
        return lines(
                "d = torch.detach(x)", reduced, "min = torch.to(a, 6)", "max = torch.to(b, 6)");
    }

    private static String others(int rank, int axis) {
        return IntStream.range(0, rank)
                .filter(i -> i != axis)
                .mapToObj(Integer::toString)
                .collect(joining(", ", "[", "]"));
    }

    /** Moves min and max from low and high. */
    static String track(double decay) {
        String moved =
                "torch.add(torch.mul(%s, " + (1 - decay) + "), torch.mul(%s, " + decay + "))";
        return lines(
                "min = " + moved.formatted("min", "low"),
                "max = " + moved.formatted("max", "high"));
    }

    /** Sets scale and zp from min and max. */
    static String parameters(QuantizedType type, boolean affine) {
        float steps = type.qmax() - type.qmin();
        return lines(
                affine
                        ? lines(
                                "l = torch.clamp_max(torch.detach(min), 0.)",
                                "h = torch.clamp_min(torch.detach(max), 0.)",
                                "e = torch.div(torch.sub(h, l), " + steps + ")")
                        : lines(
                                "e = torch.maximum(torch.neg(torch.detach(min)),"
                                        + " torch.detach(max))",
                                // One below 0 becomes EPSILON, as the one of a range widened to 0.
                                "e = torch.div(e, " + steps / 2 + ")"),
                "e = torch.clamp_min_(e, " + AffineQuantization.EPSILON + ")",
                // What is added is 0, or NaN for infinity and NaN.
                "scale = torch.add(e, e, alpha=0.)",
                affine
                        ? affineZeroPoint(type)
                        : "zp = torch.full_like(scale, "
                                + AffineQuantization.symmetricZeroPoint(type)
                                + ", dtype=3)");
    }

    private static String affineZeroPoint(QuantizedType type) {
        return lines(
                "zp = torch.rsub(torch.round(torch.div(l, scale)), " + type.qmin() + ".)",
                // Clamped as integers: what NaN becomes is undefined, but so it is within the type.
                "zp = torch.clamp(torch.to(zp, 3), " + type.qmin() + ", " + type.qmax() + ")");
    }

    /**
     * Sets s and z, which broadcast against x, from scale and zp; per tensor the numbers sf and zf
     * in place of z.
     */
    static String broadcast(int rank, int axis) {
        return axis == QuantizationParameters.PER_TENSOR
                ? lines(broadcastScale(rank, axis), "sf = float(s)", "zf = float(zp)")
                : lines(
                        broadcastScale(rank, axis),
                        "z = torch.reshape(torch.to(torch.detach(zp), 6), "
                                + shape(rank, axis)
                                + ")");
    }

    /** As {@link #broadcast}, with a zero point of 0. */
    static String broadcastAroundZero(int rank, int axis) {
        return axis == QuantizationParameters.PER_TENSOR
                ? lines(broadcastScale(rank, axis), "sf = float(s)", "zf = 0.")
                : lines(broadcastScale(rank, axis), "z = torch.zeros_like(s)");
    }

    private static String shape(int rank, int axis) {
        if (axis == QuantizationParameters.PER_TENSOR) {
            return SCALAR;
        }
        return IntStream.range(0, rank)
                .mapToObj(i -> i == axis ? "-1" : "1")
                .collect(joining(", ", "[", "]"));
    }

    /** Sets s, which broadcasts against x, from scale. */
    static String broadcastScale(int rank, int axis) {
        return "s = torch.reshape(torch.detach(scale), " + shape(rank, axis) + ")";
    }

    /**
     * Quantizes and dequantizes c by s and the zero point of symmetric schemes, in place and unseen
     * by autograd, where s is that of c's own range.
     */
    static String quantizeOwnRange(QuantizedType type) {
        int zeroPoint = AffineQuantization.symmetricZeroPoint(type);
        // The quotients of a signed type end at its bounds, but for less than half a step; those of
        // an unsigned one end halfway between two integers.
        boolean within = type.dtype() == QuantizationDtype.INT;
        return lines(
                "t = torch.round_(torch.div_(torch.detach(c), s))",
                within
                        ? ""
                        : "t = torch.clamp_(t, %d., %d.)"
                                .formatted(type.qmin() - zeroPoint, type.qmax() - zeroPoint),
                "t = torch.mul_(t, s)");
    }

    /** Quantizes and dequantizes c by s and z, in place and unseen by autograd. */
    static String quantize(int qmin, int qmax, int axis) {
        return lines(
                "t = torch.round_(torch.div_(torch.detach(c), s))",
                clamp(qmin, qmax, axis),
                "t = torch.mul_(t, s)");
    }

    /**
     * Clamps the whole numbers t, in place: {@code clamp(r + z, qmin, qmax) - z = clamp(r, qmin -
     * z, qmax - z)}, exactly.
     */
    private static String clamp(int qmin, int qmax, int axis) {
        // Four times faster with numbers than with tensors.
        String bound =
                axis == QuantizationParameters.PER_TENSOR
                        ? "torch.sub(%d., zf)"
                        : "torch.rsub(z, %d)";
        return ("t = torch.clamp_(t, " + bound + ", " + bound + ")").formatted(qmin, qmax);
    }

    /**
     * As {@link #quantize}, for c of {@link #carryExact}: its quotients end at the type's bounds,
     * but for the tolerance, and so do the integers.
     */
    static String quantizeExact() {
        return "t = torch.mul_(torch.round_(torch.div_(torch.detach(c), s)), s)";
    }

    /**
     * Sets c, which carries f's gradient where {@code round(f / s + z)} is within qmin..qmax. Half
     * a step outside is a tie: it goes to an even bound, and away from an odd one.
     */
    static String carryRounded(int qmin, int qmax, int axis) {
        double tolerance = tolerance(qmin, qmax);
        return carry(
                qmin - 0.5 - (qmin % 2 == 0 ? tolerance : -tolerance),
                qmax + 0.5 + (qmax % 2 == 0 ? tolerance : -tolerance),
                axis);
    }

    /** Sets c, which carries f's gradient where {@code f / s + z} is within qmin..qmax. */
    static String carryExact(int qmin, int qmax, int axis) {
        double tolerance = tolerance(qmin, qmax);
        return carry(qmin - tolerance, qmax + tolerance, axis);
    }

    /** A few units in the last place of the largest quotient. */
    private static double tolerance(int qmin, int qmax) {
        return 3e-7 * (qmax - qmin + 1);
    }

    /** Sets the bounds below and above, and c. */
    private static String carry(double low, double high, int axis) {
        if (axis != QuantizationParameters.PER_TENSOR) {
            return lines(
                    "below = torch.mul(s, torch.rsub(z, " + low + "))",
                    "above = torch.mul(s, torch.rsub(z, " + high + "))",
                    "c = torch.clamp(f, below, above)");
        }
        return lines(
                "below = ops.prim.max(torch.mul(sf, torch.sub(" + low + ", zf)), -" + LARGEST + ")",
                "above = ops.prim.min(torch.mul(sf, torch.sub(" + high + ", zf)), " + LARGEST + ")",
                "c = torch.hardtanh(f, below, above)");
    }

    /** Sets k to d inside the bounds, and to 0 outside. */
    static String insideOrZero(int axis) {
        return axis == QuantizationParameters.PER_TENSOR
                // The backward of hardtanh is just that: a factor that is 1 or 0.
                ? "k = torch.hardtanh_backward(d, d, below, above)"
                : lines(OUTSIDE, "k = torch.where(o, 0., d)");
    }

    /** Sets s, which broadcasts against x, from the range of x itself; for symmetric schemes. */
    static String ownScale(QuantizedType type, int rank, int axis) {
        float half = (type.qmax() - type.qmin()) / 2f;
        String largest =
                axis == QuantizationParameters.PER_TENSOR
                        ? "e = torch.amax(a)"
                        : rank == 1
                                ? "e = a"
                                : "e = torch.amax(a, " + others(rank, axis) + ", True)";
        return lines(
                "a = torch.abs(torch.detach(f))",
                largest,
                "s = torch.clamp_min_(torch.div_(e, "
                        + half
                        + "), "
                        + AffineQuantization.EPSILON
                        + ")");
    }

    /**
     * Adds to c the product of a coefficient, of c's shape, and a zero that has a gradient. Per
     * tensor, c is flat.
     */
    static String addGradient(String coefficient, String zero, int rank, int axis) {
        return axis == QuantizationParameters.PER_TENSOR
                ? addDot(coefficient, zero, "1")
                : "c = torch.add(c, torch.mul("
                        + coefficient
                        + ", torch.reshape("
                        + zero
                        + ", "
                        + shape(rank, axis)
                        + ")))";
    }

    /** As {@link #addGradient} per tensor, with a number that multiplies the product. */
    // Not unsqueeze(coefficient, 1): with that matrix's strides backward would be a million dot
    // products of length 1, instead of one of a million.
    static String addDot(String coefficient, String zero, String factor) {
        return "c = torch.addmv_(c, torch.t(torch.unsqueeze("
                + coefficient
                + ", 0)), "
                + zero
                + ", alpha="
                + factor
                + ")";
    }
}
