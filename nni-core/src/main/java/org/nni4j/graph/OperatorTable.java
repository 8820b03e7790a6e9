package org.nni4j.graph;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The canonical operator names, and the argument names that DJL's class files do not hold. */
final class OperatorTable {

    /*
     * One line per overload: method, operator, the role of the array it is called on, then the arguments. An argument is
     * name, name:Type where overloads differ by type only, or name=default where shorter overloads leave it out. The first
     * line that fits a call decides. A method that is not here keeps its Java name and gets argument names from their types.
     */
    private static final String LINES =
            """
            add Add input other
            addi Add input other
            sub Sub input other
            subi Sub input other
            rsub RSub input other
            rsubi RSub input other
            mul Mul input other
            muli Mul input other
            div Div input other
            divi Div input other
            rdiv RDiv input other
            rdivi RDiv input other
            mod Mod input other
            modi Mod input other
            rmod RMod input other
            rmodi RMod input other
            pow Pow input other
            powi Pow input other
            rpow RPow input other
            rpowi RPow input other
            maximum Maximum input other
            minimum Minimum input other
            eq Equal input other
            neq NotEqual input other
            gt Greater input other
            gte GreaterOrEqual input other
            lt Less input other
            lte LessOrEqual input other
            xlogy Xlogy input other
            atan2 Atan2 input other
            logicalAnd And input other
            logicalOr Or input other
            logicalXor Xor input other
            logicalNot Not input
            neg Neg input
            negi Neg input
            sign Sign input
            signi Sign input
            abs Abs input
            square Square input
            sqrt Sqrt input
            cbrt Cbrt input
            floor Floor input
            ceil Ceil input
            round Round input
            trunc Trunc input
            exp Exp input
            gammaln Gammaln input
            log Log input
            log10 Log10 input
            log2 Log2 input
            sin Sin input
            cos Cos input
            tan Tan input
            asin Asin input
            acos Acos input
            atan Atan input
            sinh Sinh input
            cosh Cosh input
            tanh Tanh input
            asinh Asinh input
            acosh Acosh input
            atanh Atanh input
            toDegrees Degrees input
            toRadians Radians input
            erf Erf input
            erfinv Erfinv input
            isNaN IsNaN input
            isInfinite IsInf input
            max Max input axes keepDims=false
            min Min input axes keepDims=false
            sum Sum input axes keepDims=false
            prod Prod input axes keepDims=false
            mean Mean input axes keepDims=false
            norm Norm input keepDims:boolean
            norm Norm input axes:int[] keepDims=false
            norm Norm input ord axes keepDims=false
            cumSum CumSum input axis=0
            cumProd CumProd input axis dtype
            normalize Normalize input exponent:double dim eps=1e-12
            argMax ArgMax input axis
            argMin ArgMin input axis
            argSort ArgSort input axis:int=-1 ascending=true
            sort Sort input axis=-1
            topK TopK input k axis largest=true sorted=true
            all All input
            any Any input
            none None input
            countNonzero CountNonzero input axis
            softmax Softmax input axis
            logSoftmax LogSoftmax input axis
            relu Relu input
            sigmoid Sigmoid input
            softPlus Softplus input
            softSign Softsign input
            leakyRelu LeakyRelu input alpha
            elu Elu input alpha
            selu Selu input
            gelu Gelu input
            swish Swish input beta
            mish Mish input
            prelu Prelu input input alpha
            clip Clip input min max
            reshape Reshape input shape
            flatten Flatten input startDim endDim
            expandDims ExpandDims input axis
            squeeze Squeeze input axes
            transpose Transpose input axes
            swapAxes Transpose input axis1 axis2
            flip Flip input axes
            rotate90 Rotate90 input times axes
            broadcast Broadcast input shape
            tile Tile input repeats:long[]
            tile Tile input repeats:long
            tile Tile input shape:Shape
            tile Tile input axis:int repeats
            repeat Repeat input repeats:long[]
            repeat Repeat input repeats:long
            repeat Repeat input shape:Shape
            repeat Repeat input axis:int repeats
            pad Pad input padding value
            concat Concat arrays[0] arrays axis=0
            stack Stack arrays[0] arrays axis=0
            split Split input sections:long axis=0
            split Split input indices:long[] axis=0
            get Slice input manager:NDManager index
            get Slice input index args
            getScalar Slice input index
            set SetSlice input index value
            setScalar SetSlice input index value
            take Take input manager:NDManager index
            take Take input index
            put Put input index value
            gather GatherElements input index axis
            gatherNd GatherNd input index
            scatter ScatterElements input index value axis
            booleanMask BooleanMask input index axis=0
            sequenceMask SequenceMask input sequenceLength value
            nonzero NonZero input
            unique Unique input dim:Integer sorted returnInverse returnCounts
            unique Unique input sorted:boolean returnInverse returnCounts
            where Where input condition other
            dot Dot input other
            matMul MatMul input other
            batchMatMul BatchMatMul input other
            batchDot BatchDot input other
            inverse Inverse input
            diagonal Diagonal input offset axis1 axis2
            trace Trace input offset=0 axis1=0 axis2=1
            oneHot OneHot input depth:int dtype:DataType
            oneHot OneHot input depth onValue offValue dtype
            toType Cast input dtype copy
            toDevice ToDevice input device copy
            duplicate Identity input
            stopGradient StopGradient input
            scaleGradient ScaleGradient input scale
            zerosLike ZerosLike input
            onesLike OnesLike input
            like Like input
            copyTo Copy input target
            intern Intern input replaced
            toSparse ToSparse input format
            toDense ToDense input
            percentile Percentile input percentile axes
            median Median input axes
            fft Fft input length axis=-1
            ifft Ifft input length axis=-1
            rfft Rfft input length axis=-1
            irfft Irfft input length axis=-1
            stft Stft input nFft hopLength center window normalize:boolean returnComplex
            stft Stft input nFft hopLength center window returnComplex
            convolution Conv input input weight bias stride padding dilation groups
            deconvolution ConvTranspose input input weight bias stride padding outPadding dilation groups
            linear Linear input input weight bias
            embedding Embedding input input weight sparse
            dropout Dropout input input rate training
            layerNorm LayerNorm input input normalizedShape gamma beta epsilon
            batchNorm BatchNorm input input runningMean runningVar gamma beta axis momentum epsilon training
            rnn Rnn input input state params hasBiases numLayers activation dropRate training bidirectional batchFirst
            gru Gru input input state params hasBiases numLayers dropRate training bidirectional batchFirst
            lstm Lstm input input states params hasBiases numLayers dropRate training bidirectional batchFirst
            maxPool MaxPool input kernel stride padding ceilMode
            avgPool AvgPool input kernel stride padding ceilMode countIncludePad
            lpPool LpPool input norm kernel stride padding ceilMode
            globalMaxPool GlobalMaxPool input
            globalAvgPool GlobalAvgPool input
            globalLpPool GlobalLpPool input norm
            interpolation Interpolate input size mode alignCorners
            resize Resize input width height interpolation
            multiBoxPrior MultiBoxPrior input sizes ratios steps offsets clip
            multiBoxTarget MultiBoxTarget input inputs iouThreshold ignoreLabel negativeMiningRatio negativeMiningThreshold minNegativeSamples
            multiBoxDetection MultiBoxDetection input inputs clip threshold backgroundId nmsThreshold forceSuppress nmsTopK
            toTensor ToTensor input
            crop Crop input x y width height
            create create input shape:Shape dtype device
            create create input data shape dtype
            zeros zeros input shape dtype device
            ones ones input shape dtype device
            full full input shape value dtype device
            eye eye input rows cols k dtype device
            arange arange input stop
            arange arange input start stop
            arange arange input start stop step dtype device
            linspace linspace input start stop num endpoint device
            hanningWindow hanningWindow input size
            randomUniform RandomUniform input low high shape dtype device
            randomNormal RandomNormal input loc:float scale:float shape dtype device
            randomNormal RandomNormal input shape dtype
            randomInteger RandomInteger input low high shape dtype
            randomPermutation RandomPermutation input size
            truncatedNormal RandomTruncatedNormal input loc:float scale:float shape dtype device
            truncatedNormal RandomTruncatedNormal input shape dtype
            randomMultinomial RandomMultinomial input n pValues shape
            sampleNormal RandomNormal input mu sigma shape
            samplePoisson RandomPoisson input lam shape
            sampleGamma RandomGamma input alpha beta shape
            """;

    /** One line of the table. */
    record Entry(
            String operator,
            String receiverRole,
            List<String> arguments,
            List<String> types,
            Map<String, Object> defaults) {

        boolean fits(Class<?>[] parameterTypes) {
            if (parameterTypes.length > arguments.size()) {
                return false;
            }
            for (int i = 0; i < parameterTypes.length; i++) {
                String type = types.get(i);
                if (!type.isEmpty() && !type.equals(parameterTypes[i].getSimpleName())) {
                    return false;
                }
            }
            return true;
        }
    }

    private static final Map<String, List<Entry>> ENTRIES = parse();

    private OperatorTable() {}

    static Entry find(Method method) {
        return ENTRIES.getOrDefault(method.getName(), List.of()).stream()
                .filter(entry -> entry.fits(method.getParameterTypes()))
                .findFirst()
                .orElseGet(() -> unknown(method));
    }

    private static Entry unknown(Method method) {
        List<String> arguments = new ArrayList<>();
        for (Class<?> type : method.getParameterTypes()) {
            arguments.add("arg" + arguments.size() + type.getSimpleName().replace("[]", "s"));
        }
        return new Entry(
                method.getName(),
                "input",
                arguments,
                arguments.stream().map(a -> "").toList(),
                Map.of());
    }

    private static Map<String, List<Entry>> parse() {
        Map<String, List<Entry>> entries = new HashMap<>();
        LINES.lines()
                .map(line -> line.split(" "))
                .forEach(
                        words -> {
                            List<String> names = new ArrayList<>();
                            List<String> types = new ArrayList<>();
                            Map<String, Object> defaults = new LinkedHashMap<>();
                            for (int i = 3; i < words.length; i++) {
                                String[] sides = words[i].split("=");
                                String[] nameAndType = sides[0].split(":");
                                names.add(nameAndType[0]);
                                types.add(nameAndType.length > 1 ? nameAndType[1] : "");
                                if (sides.length > 1) {
                                    defaults.put(nameAndType[0], literal(sides[1]));
                                }
                            }
                            Entry entry =
                                    new Entry(
                                            words[1],
                                            words[2],
                                            List.copyOf(names),
                                            List.copyOf(types),
                                            defaults);
                            entries.computeIfAbsent(words[0], name -> new ArrayList<>()).add(entry);
                        });
        return entries;
    }

    private static Object literal(String text) {
        if (text.equals("true") || text.equals("false")) {
            return Boolean.valueOf(text);
        }
        return text.contains("e") ? (Object) Double.valueOf(text) : (Object) Long.valueOf(text);
    }
}
