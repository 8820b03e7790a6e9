package org.nni4j.quantization;

import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One kernel, specialised: everything that does not change from step to step is a constant in its
 * TorchScript source.
 *
 * <p>The source is in the dialect that {@code torch.jit.save} writes. {@code torch.to(x, 6)} means
 * float32, {@code torch.to(x, 3)} int32.
 */
sealed interface FusedKernel {

    /* Why the text is as it is.
     *
     * libtorch 2.7.1 computes nearbyint(x * (1 / s)) + z in float32 and converts it to int64 BEFORE
     * clamping. NaN, infinities and |x / s| >= 2^63 overflow there, and come out as qmin: a NaN would
     * vanish. So x's range is looked at first (a read, a few per cent of the kernel's time), and the
     * rare tensor that cannot pass is clamped and its NaN restored. Kernels that observe need not
     * look: x is within 1 / (1 - decay) of a range that is either finite, or makes the scale NaN.
     *
     * libtorch's learnable kernels give eq. 3 of LSQ its "inside" where the ROUNDED value is within
     * qmin..qmax, so x / s in (qmax, qmax + 0.5) trains the wrong way; at 2 bits that is a good part
     * of the tensor. The paper's condition is on x / s itself. Values outside are therefore moved
     * further out first, by their distance from the range's centre: by a constant, so the gradient
     * does not notice, and far enough that rounding agrees.
     *
     * Operators ending in _ and out= work in place, on temporaries: at these sizes a fresh buffer
     * costs more than the arithmetic.
     */

    /**
     * Returns the module's only method.
     *
     * @return TorchScript source
     */
    String method();

    /** Returns {@code [min, max]}. */
    record Range(int rank, int axis) implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor")
                    + "  d = torch.detach(x)\n"
                    + rangeOf(rank, axis)
                    + "  return [lo, hi]\n";
        }
    }

    /** Returns {@code [min, max]}. */
    record Track(int rank, int axis, double decay) implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor, min: Tensor, max: Tensor")
                    + "  d = torch.detach(x)\n"
                    + rangeOf(rank, axis)
                    + tracked(decay)
                    + "  return [lo, hi]\n";
        }
    }

    /** Returns {@code [scale, zero point]}. */
    record Parameters(QuantizedType type, boolean affine) implements FusedKernel {
        @Override
        public String method() {
            return define("lo: Tensor, hi: Tensor")
                    + parametersOf(type, affine)
                    + "  return [s, z]\n";
        }
    }

    /** Returns {@code [value, min, max, scale, zero point]}. */
    record Observe(QuantizedType type, boolean affine, int rank, int axis, double decay)
            implements FusedKernel {
        @Override
        public String method() {
            return define(decay == 0 ? "x: Tensor" : "x: Tensor, min: Tensor, max: Tensor")
                    + "  d = torch.detach(x)\n"
                    + rangeOf(rank, axis)
                    + (decay == 0 ? "" : tracked(decay))
                    + parametersOf(type, affine)
                    + quantized()
                    + "  return [y, lo, hi, s, z]\n";
        }

        private String quantized() {
            return decay == 0
                    ? "  y = " + fakeQuantized("x", type.qmin(), type.qmax(), axis) + "\n"
                    : guarded(type.qmin(), type.qmax(), axis);
        }
    }

    /** Returns {@code [value]}. */
    record FakeQuantize(int qmin, int qmax, int rank, int axis) implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor, scale: Tensor, zp: Tensor")
                    + """
                      s = torch.detach(scale)
                      z = torch.detach(zp)
                      a, b = torch.aminmax(torch.detach(x))
                    """
                    + guarded(qmin, qmax, axis)
                    + "  return [y]\n";
        }
    }

    /** Returns {@code [value]}. */
    record QuantizeDequantize(int qmin, int qmax, int rank, int axis) implements FusedKernel {
        @Override
        public String method() {
            // clamp(r + z, qmin, qmax) - z = clamp(r, qmin - z, qmax - z): integers, so exactly.
            return define("x: Tensor, scale: Tensor, zp: Tensor")
                    + """
                      s = torch.reshape(torch.detach(scale), SHAPE)
                      z = torch.reshape(torch.to(torch.detach(zp), 6), SHAPE)
                      t = torch.div(torch.to(torch.detach(x), 6), s)
                      t = torch.round_(t)
                      t = torch.clamp_(t, torch.rsub(z, QMIN), torch.rsub(z, QMAX))
                      t = torch.mul_(t, s)
                      return [torch.type_as(t, x)]
                    """
                            .replace("SHAPE", broadcast(rank, axis))
                            .replace("QMIN", qmin + ".")
                            .replace("QMAX", qmax + ".");
        }
    }

    /** Returns {@code [value]}. */
    record LearnedStep(int qmin, int qmax, int rank, int axis, boolean offset)
            implements FusedKernel {
        @Override
        public String method() {
            boolean perTensor = axis == QuantizationParameters.PER_TENSOR;
            return define(
                            "x: Tensor, step: Tensor, gradient: Tensor"
                                    + (offset ? ", zp: Tensor" : ""))
                    + """
                      s = torch.clamp_min(torch.detach(step), EPSILON)
                      scaled = torch.mul(step, gradient)
                      learned = torch.add(s, torch.sub(scaled, torch.detach(scaled)))
                      ZERO_POINT
                      f = torch.to(x, 6)
                      a, b = torch.aminmax(torch.detach(f))
                      FITS
                      if ok:
                        c = f
                      else:
                        c = RESCUED
                      d = torch.detach(c)
                      SHIFT
                      moved = torch.add_(p, c)
                      q = KERNEL
                      if ok:
                        y = q
                      else:
                        y = torch.where(torch.isnan(f), torch.detach(f), q)
                      return [torch.type_as(y, x)]
                    """
                            .replace("ZERO_POINT", offset ? learnedZeroPoint() : fixedZeroPoint())
                            .replace("SHIFT", perTensor ? shift() : shiftPerChannel())
                            .replace("FITS", fits().strip())
                            .replace("RESCUED", RESCUED)
                            .replace("KERNEL", perTensor ? perTensorKernel() : perChannelKernel())
                            .replace("EPSILON", Float.toString(AffineQuantization.EPSILON));
        }

        private String fixedZeroPoint() {
            return "z = torch.zeros_like(s)\n  learned_z = z";
        }

        private String learnedZeroPoint() {
            // Counted from qmin: libtorch's backward rounds negative zero points by trunc(z + 0.5).
            return """
            z = torch.clamp(torch.round(torch.detach(zp)), %d, %d)
              learned_z = torch.sub(z, %d)
              learned_z = torch.add(learned_z, torch.sub(zp, torch.detach(zp)))
            """
                    .strip()
                    .formatted(qmin, qmax, qmin);
        }

        private String centre() {
            return (qmin + qmax) / 2. + "";
        }

        private String half() {
            return (qmax - qmin) / 2. + "";
        }

        private String shift() {
            return """
            sf = float(s)
              p = torch.sub(d, torch.mul(sf, torch.sub(CENTRE, float(z))))
              p = torch.hardshrink(p, torch.mul(sf, HALF), out=p)
            """
                    .strip()
                    .replace("CENTRE", centre())
                    .replace("HALF", half());
        }

        private String shiftPerChannel() {
            return """
            sc = torch.reshape(s, SHAPE)
              p = torch.sub(d, torch.mul(sc, torch.rsub(torch.reshape(z, SHAPE), CENTRE)))
              p = torch.mul_(p, torch.gt(torch.abs(p), torch.mul(sc, HALF)))
            """
                    .strip()
                    .replace("SHAPE", broadcast(rank, axis))
                    .replace("CENTRE", centre())
                    .replace("HALF", half());
        }

        private String perTensorKernel() {
            return "torch._fake_quantize_learnable_per_tensor_affine(moved, learned, learned_z, %d, %d, 1.)"
                    .formatted(offset ? 0 : qmin, offset ? qmax - qmin : qmax);
        }

        private String perChannelKernel() {
            return "torch._fake_quantize_learnable_per_channel_affine(moved, learned, learned_z, %d, %d, %d, 1.)"
                    .formatted(axis, offset ? 0 : qmin, offset ? qmax - qmin : qmax);
        }
    }

    /** Returns {@code [value]}. */
    record Binarize(boolean saturating) implements FusedKernel {
        @Override
        public String method() {
            String passed =
                    saturating ? "g = torch.to(x, 6)\n  c = torch.clamp(g, -1., 1.)" : FINITE;
            return define("x: Tensor")
                    + """
                      PASSED
                      v = torch.to(torch.ge(torch.detach(x), 0.), 6)
                      v = torch.sub_(torch.mul_(v, 2.), 1.)
                      v = torch.where(torch.isnan(c0), c0, v)
                      y = torch.add(v, torch.sub(c, torch.detach(c)))
                      return [torch.type_as(y, x)]
                    """
                            .replace("c0", "torch.detach(g)")
                            .replace("PASSED", passed);
        }
    }

    /** Returns {@code [value]}. */
    record TanhQuantize(int levels, boolean differentiated) implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor")
                    + """
                      f = SOURCE
                      t = torch.tanh(f)
                      m = torch.clamp_min(torch.max(torch.abs(t)), EPSILON)
                      u = torch.add(torch.div(t, torch.mul(m, 2.)), 0.5)
                      v = torch.mul(torch.detach(u), LEVELS)
                      v = torch.mul_(torch.round_(v), 2.)
                      v = torch.sub_(torch.div_(v, LEVELS), 1.)
                      PASSED
                      y = torch.add(v, torch.sub(c, torch.detach(c)))
                      return [torch.type_as(y, x)]
                    """
                            .replace(
                                    "SOURCE",
                                    differentiated
                                            ? "torch.to(x, 6)"
                                            : "torch.detach(torch.to(x, 6))")
                            .replace("PASSED", differentiated ? "c = torch.mul(u, 2.)" : FINITE)
                            .replace("EPSILON", Float.toString(AffineQuantization.EPSILON))
                            .replace("LEVELS", levels + ".");
        }
    }

    /** Returns {@code [value]}. */
    record ScaledSign() implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor")
                    + """
                      d = torch.to(torch.detach(x), 6)
                      v = torch.to(torch.ge(d, 0.), 6)
                      v = torch.sub_(torch.mul_(v, 2.), 1.)
                      v = torch.mul_(v, torch.mean(torch.abs(d)))
                      PASSED
                      y = torch.add(v, torch.sub(c, torch.detach(c)))
                      return [torch.type_as(y, x)]
                    """
                            .replace("PASSED", FINITE);
        }
    }

    /** Returns {@code [value]}. */
    record UnitQuantize(int levels) implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor")
                    + """
                      c = torch.clamp(torch.to(x, 6), 0., 1.)
                      v = torch.mul(torch.detach(c), LEVELS)
                      v = torch.div_(torch.round_(v), LEVELS)
                      y = torch.add(v, torch.sub(c, torch.detach(c)))
                      return [torch.type_as(y, x)]
                    """
                            .replace("LEVELS", levels + ".");
        }
    }

    /** Returns {@code [value]}. */
    record ClippedQuantize(int levels) implements FusedKernel {
        @Override
        public String method() {
            return define("x: Tensor, level: Tensor")
                    + """
                      f = torch.to(x, 6)
                      d = torch.detach(f)
                      a = torch.reshape(torch.clamp_min(torch.detach(level), EPSILON), SCALAR)
                      s = torch.div(a, LEVELS)
                      v = torch.div(d, s)
                      v = torch.mul_(torch.clamp_(torch.round_(v), 0., LEVELS), s)
                      inside = torch.logical_and(torch.gt(d, 0.), torch.lt(d, a))
                      c = torch.where(inside, f, 0.)
                      y = torch.add(v, torch.sub(c, torch.detach(c)))
                      learned = torch.reshape(torch.sub(level, torch.detach(level)), SCALAR)
                      above = torch.to(torch.ge(d, a), 6)
                      y = torch.add(y, torch.mul(above, learned))
                      return [torch.type_as(y, x)]
                    """
                            .replace("SCALAR", SCALAR)
                            .replace("EPSILON", Float.toString(AffineQuantization.EPSILON))
                            .replace("LEVELS", levels + ".");
        }
    }

    /** The shape (); a bare [] would be a list of tensors. */
    String SCALAR = "annotate(List[int], [])";

    /** x where it is finite, else 0; what is not finite passes no gradient. */
    String FINITE = "g = torch.to(x, 6)\n  c = torch.where(torch.isfinite(torch.detach(g)), g, 0.)";

    private static String define(String inputs) {
        return "def forward(self: __torch__.Kernel, " + inputs + ") -> List[Tensor]:\n";
    }

    /** Sets lo and hi from d. */
    private static String rangeOf(int rank, int axis) {
        if (axis == QuantizationParameters.PER_TENSOR) {
            return """
              a, b = torch.aminmax(d)
              lo = torch.reshape(torch.to(a, 6), [1])
              hi = torch.reshape(torch.to(b, 6), [1])
            """;
        }
        String reduced =
                rank == 1
                        ? "  a = torch.clone(d)\n  b = torch.clone(d)\n"
                        : axis == 0
                                ? "  a, b = torch.aminmax(torch.flatten(d, 1), dim=1)\n"
                                : "  a = torch.amin(d, OTHERS)\n  b = torch.amax(d, OTHERS)\n";
        return reduced.replace("OTHERS", others(rank, axis))
                + "  lo = torch.to(a, 6)\n"
                + "  hi = torch.to(b, 6)\n";
    }

    private static String others(int rank, int axis) {
        return IntStream.range(0, rank)
                .filter(i -> i != axis)
                .mapToObj(Integer::toString)
                .collect(Collectors.joining(", ", "[", "]"));
    }

    /** The shape in which channel parameters broadcast; () for a whole tensor's. */
    private static String broadcast(int rank, int axis) {
        if (axis == QuantizationParameters.PER_TENSOR) {
            return SCALAR;
        }
        return IntStream.range(0, rank)
                .mapToObj(i -> i == axis ? "-1" : "1")
                .collect(Collectors.joining(", ", "[", "]"));
    }

    /** Moves lo and hi from min and max. */
    private static String tracked(double decay) {
        return "  lo = torch.add(torch.mul(lo, OTHER), torch.mul(min, DECAY))\n"
                        .replace("OTHER", Double.toString(1 - decay))
                        .replace("DECAY", Double.toString(decay))
                + "  hi = torch.add(torch.mul(hi, OTHER), torch.mul(max, DECAY))\n"
                        .replace("OTHER", Double.toString(1 - decay))
                        .replace("DECAY", Double.toString(decay));
    }

    /** Sets s and z from lo and hi. */
    private static String parametersOf(QuantizedType type, boolean affine) {
        float steps = type.qmax() - type.qmin();
        String quotient =
                affine
                        ? "torch.div(torch.sub(h, l), " + steps + ")"
                        : "torch.div(torch.maximum(torch.neg(l), h), " + steps / 2 + ")";
        String zeroPoint =
                affine
                        ? "torch.clamp(torch.to(torch.rsub(torch.round(torch.div(l, s)), %d.), 3), %d, %d)"
                                .formatted(type.qmin(), type.qmin(), type.qmax())
                        : "torch.full_like(s, %d, dtype=3)"
                                .formatted(AffineQuantization.symmetricZeroPoint(type));
        return """
          l = torch.clamp_max(torch.detach(lo), 0.)
          h = torch.clamp_min(torch.detach(hi), 0.)
          e = torch.clamp_min(QUOTIENT, EPSILON)
          s = torch.add(e, torch.sub(e, e))
          z = ZERO_POINT
        """
                .replace("QUOTIENT", quotient)
                .replace("EPSILON", Float.toString(AffineQuantization.EPSILON))
                .replace("ZERO_POINT", zeroPoint);
    }

    private static String fakeQuantized(String x, int qmin, int qmax, int axis) {
        return axis == QuantizationParameters.PER_TENSOR
                ? "torch.fake_quantize_per_tensor_affine(%s, s, z, %d, %d)".formatted(x, qmin, qmax)
                : "torch.fake_quantize_per_channel_affine(%s, s, z, %d, %d, %d)"
                        .formatted(x, axis, qmin, qmax);
    }

    /** Sets y from x, s, z and x's range a, b. */
    private static String guarded(int qmin, int qmax, int axis) {
        return fits()
                + """
                  if ok:
                    y = FUSED
                  else:
                    f = torch.to(x, 6)
                    c = RESCUED
                    q = CLAMPED
                    y = torch.type_as(torch.where(torch.isnan(f), torch.detach(f), q), x)
                """
                        .replace("FUSED", fakeQuantized("x", qmin, qmax, axis))
                        .replace("RESCUED", RESCUED)
                        .replace("CLAMPED", fakeQuantized("c", qmin, qmax, axis));
    }

    /** Sets ok from the range a, b: whether twice any value over s survives conversion to int64. */
    private static String fits() {
        return """
          limit = torch.mul(torch.min(s), 1e18)
          ok = bool(torch.lt(torch.max(torch.maximum(torch.neg(a), b)), limit))
        """;
    }

    /** f clamped so that it survives, infinities included; the largest float must not round up. */
    String RESCUED =
            "torch.clamp(f, torch.neg(torch.clamp_max(limit, 3.4028234e38)),"
                    + " torch.clamp_max(limit, 3.4028234e38))";
}
