package org.nni4j.checkpoint;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.nni4j.checkpoint.Checkpoint.SavedLayer;
import org.nni4j.checkpoint.Checkpoint.SavedParameter;
import org.nni4j.checkpoint.Checkpoint.SavedQuantizer;

/** Writes what follows DJL's own parameters in a checkpoint: array data, the body, the footer. */
final class CheckpointWriter {

    @FunctionalInterface
    private interface Item<T> {
        void write(T item) throws IOException;
    }

    private final byte[] head;
    private final long mostBytes;
    private final ParameterData known;
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private final ByteArrayOutputStream bodyBytes = new ByteArrayOutputStream();
    private final DataOutputStream body = new DataOutputStream(bodyBytes);

    CheckpointWriter(byte[] head, long mostBytes) {
        this.head = head;
        this.mostBytes = mostBytes;
        this.known = new ParameterData(head);
    }

    byte[] tail(Checkpoint checkpoint) {
        try {
            write(checkpoint);
            checkRoom(Footer.BYTES);
            ByteArrayOutputStream tail = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(tail);
            data.writeTo(out);
            bodyBytes.writeTo(out);
            out.writeInt(Checkpoint.FORMAT_VERSION);
            out.writeLong((long) head.length + data.size());
            out.write(Footer.digest(head, tail.toByteArray()));
            out.write(Footer.MAGIC);
            return tail.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Refuses more than can be read back, before an array overflows. */
    private void checkRoom(long more) {
        long bytes = (long) head.length + data.size() + bodyBytes.size() + more;
        if (bytes > mostBytes) {
            throw new IllegalArgumentException(
                    "a checkpoint of "
                            + bytes
                            + " bytes or more cannot be written; expected at most "
                            + mostBytes);
        }
    }

    private void write(Checkpoint c) throws IOException {
        text(c.algorithm());
        body.writeLong(c.step());
        body.writeLong(c.seed());
        text(c.config());
        each(c.layers(), this::layer);
        texts(c.plan());
        texts(c.properties());
        each(c.parameters(), this::parameter);
        each(c.quantizers(), this::quantizer);
        body.writeByte(c.optimizer().isPresent() ? 1 : 0);
        if (c.optimizer().isPresent()) {
            optimizer(c.optimizer().get());
        }
    }

    private <T> void each(Iterable<? extends T> items, Item<T> item) throws IOException {
        int count = 0;
        for (T unused : items) {
            count++;
        }
        body.writeInt(count);
        for (T each : items) {
            item.write(each);
        }
    }

    private void text(String text) throws IOException {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        body.writeInt(utf8.length);
        body.write(utf8);
    }

    private void texts(Map<String, String> texts) throws IOException {
        each(
                texts.entrySet(),
                entry -> {
                    text(entry.getKey());
                    text(entry.getValue());
                });
    }

    private void layer(SavedLayer layer) throws IOException {
        text(layer.path());
        text(layer.type());
    }

    private void parameter(SavedParameter parameter) throws IOException {
        text(parameter.layer());
        text(parameter.name());
        array(parameter.array());
    }

    /** The values themselves stand before the body, once. */
    private void array(SavedArray array) throws IOException {
        text(array.type().name());
        long[] shape = array.shape().getShape();
        body.writeByte(shape.length);
        for (long size : shape) {
            body.writeLong(size);
        }
        int position = known.find(array.data());
        if (position >= 0) {
            body.writeLong(position);
            return;
        }
        body.writeLong((long) head.length + data.size());
        ByteBuffer values = array.data().duplicate();
        checkRoom(values.remaining());
        byte[] bytes = new byte[values.remaining()];
        values.get(bytes);
        data.write(bytes);
    }

    private void quantizer(SavedQuantizer quantizer) throws IOException {
        text(quantizer.layer());
        text(quantizer.type().key());
        text(quantizer.tensor());
        each(
                quantizer.state().arrays().entrySet(),
                entry -> {
                    text(entry.getKey());
                    body.writeInt(entry.getValue().length);
                    for (float value : entry.getValue()) {
                        body.writeFloat(value);
                    }
                });
        each(
                quantizer.state().counters().entrySet(),
                entry -> {
                    text(entry.getKey());
                    body.writeLong(entry.getValue());
                });
    }

    private void optimizer(SavedOptimizer optimizer) throws IOException {
        text(optimizer.type());
        texts(optimizer.settings());
        body.writeInt(optimizer.updates());
        each(
                optimizer.counts().entrySet(),
                entry -> {
                    text(entry.getKey());
                    body.writeInt(entry.getValue());
                });
        each(
                optimizer.arrays(),
                state -> {
                    text(state.name());
                    text(state.parameter());
                    text(state.device());
                    body.writeInt(state.deviceId());
                    array(state.array());
                });
    }
}
