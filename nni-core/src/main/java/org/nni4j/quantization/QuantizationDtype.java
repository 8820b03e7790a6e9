package org.nni4j.quantization;

/** Whether quantized integers are signed ({@code int}) or unsigned ({@code uint}). */
public enum QuantizationDtype {
    /** Signed, narrow range: {@code -(2^(b-1)-1) .. 2^(b-1)-1}, symmetric around zero. */
    INT("int"),
    /** Unsigned, full range: {@code 0 .. 2^b-1}. */
    UINT("uint");

    private final String key;

    QuantizationDtype(String key) {
        this.key = key;
    }

    /**
     * Returns the spelling used in config lists.
     *
     * @return {@code "int"} or {@code "uint"}
     */
    public String key() {
        return key;
    }
}
