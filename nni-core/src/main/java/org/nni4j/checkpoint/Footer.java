package org.nni4j.checkpoint;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * The last bytes of a checkpoint: format version (4 bytes), where the body begins (8), SHA-256 of
 * everything before (32), and a mark (8).
 *
 * @param version the format version
 * @param body where the body begins
 */
record Footer(int version, long body) {

    static final byte[] MAGIC = "\u0089NNI4JC\n".getBytes(StandardCharsets.ISO_8859_1);

    static final int DIGEST_BYTES = 32;

    static final int BYTES = Integer.BYTES + Long.BYTES + DIGEST_BYTES + MAGIC.length;

    static byte[] digest(byte[]... parts) {
        MessageDigest digest = sha256();
        for (byte[] part : parts) {
            digest.update(part);
        }
        return digest.digest();
    }

    static byte[] digest(byte[] bytes, int length) {
        MessageDigest digest = sha256();
        digest.update(bytes, 0, length);
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
