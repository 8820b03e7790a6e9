package org.nni4j.quantization;

import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes TorchScript modules in memory, so that libtorch operators that DJL does not expose can be
 * called without native code.
 */
final class TorchScript {

    /* A TorchScript archive is a zip of stored (not deflated) entries:
     *
     *   data.pkl            the module object, pickled: here an instance of __torch__.Kernel that
     *                       has a single attribute, training = True
     *   constants.pkl       tensors the code refers to: an empty tuple
     *   code/__torch__.py   the source text of the class, in the subset that torch.jit.save writes
     *   version             of the format
     */

    private static final String HEADER =
            """
            class Kernel(Module):
              __parameters__ = []
              __buffers__ = []
              training : bool
            """;

    /**
     * Protocol 2: GLOBAL __torch__ Kernel, BINPUT 0, EMPTY_TUPLE, NEWOBJ, EMPTY_DICT, MARK,
     * BINUNICODE "training", BINPUT 1, NEWTRUE, SETITEMS, BUILD, STOP.
     */
    private static final String OBJECT =
            "\u0080\u0002c__torch__\nKernel\nq\0)\u0081}(X\b\0\0\0trainingq\u0001\u0088ub.";

    /** Protocol 2: EMPTY_TUPLE, STOP. */
    private static final String NO_CONSTANTS = "\u0080\u0002).";

    private TorchScript() {}

    /**
     * Compiles a module.
     *
     * @param manager owns the module
     * @param method the {@code forward} method, not indented
     * @return the module
     */
    static PtSymbolBlock load(PtNDManager manager, String method) {
        try {
            byte[] archive = archive(HEADER + method.indent(2));
            return JniUtils.loadModule(manager, new ByteArrayInputStream(archive), false, false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] archive(String code) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            zip.setMethod(ZipOutputStream.STORED);
            store(zip, "kernel/data.pkl", OBJECT.getBytes(StandardCharsets.ISO_8859_1));
            store(zip, "kernel/code/__torch__.py", code.getBytes(StandardCharsets.UTF_8));
            store(zip, "kernel/constants.pkl", NO_CONSTANTS.getBytes(StandardCharsets.ISO_8859_1));
            store(zip, "kernel/version", "3\n".getBytes(StandardCharsets.UTF_8));
        }
        return bytes.toByteArray();
    }

    private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
        CRC32 checksum = new CRC32();
        checksum.update(content);
        ZipEntry entry = new ZipEntry(name);
        entry.setSize(content.length);
        entry.setCompressedSize(content.length);
        entry.setCrc(checksum.getValue());
        zip.putNextEntry(entry);
        zip.write(content);
    }
}
