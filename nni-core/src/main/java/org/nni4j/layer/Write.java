package org.nni4j.layer;

import ai.djl.BaseModel;
import ai.djl.Model;
import ai.djl.nn.Block;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** One change to the objects of a network that can be taken back. */
interface Write {

    /** Makes the change. */
    void apply();

    /** Takes the change back, unless someone else changed the place since. */
    void revert();

    /** The block of a model. */
    record ToModel(Model model, Block before, Supplier<Block> after) implements Write {

        @Override
        public void apply() {
            set(after.get());
        }

        @Override
        public void revert() {
            if (model.getBlock() == after.get()) {
                set(before);
            }
        }

        /**
         * {@code setBlock} also forgets that the model was loaded, which decides what a trainer
         * unfreezes.
         */
        private void set(Block block) {
            if (!(model instanceof BaseModel)) {
                model.setBlock(block);
                return;
            }
            try {
                Field wasLoaded = BaseModel.class.getDeclaredField("wasLoaded");
                wasLoaded.setAccessible(true);
                boolean loaded = wasLoaded.getBoolean(model);
                model.setBlock(block);
                wasLoaded.setBoolean(model, loaded);
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException("this version of DJL is not supported", e);
            }
        }
    }

    /** A field, final or not. */
    record ToField(Object holder, Field field, Object before, Supplier<?> after) implements Write {

        @Override
        public void apply() {
            set(after.get());
        }

        @Override
        public void revert() {
            if (Fields.read(field, holder) == after.get()) {
                set(before);
            }
        }

        private void set(Object value) {
            try {
                field.set(holder, value);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(Fields.name(field) + " cannot be written", e);
            }
        }
    }

    /** An element of an array. */
    record ToArray(Object[] array, int index, Object before, Supplier<?> after) implements Write {

        @Override
        public void apply() {
            Array.set(array, index, after.get());
        }

        @Override
        public void revert() {
            if (array[index] == after.get()) {
                Array.set(array, index, before);
            }
        }
    }

    /** An element of a list. */
    record ToList(List<Object> list, int index, Object before, Supplier<?> after) implements Write {

        @Override
        public void apply() {
            list.set(index, after.get());
        }

        /** Looks for the element, since the user may have added and removed others. */
        @Override
        public void revert() {
            Object replaced = after.get();
            if (index < list.size() && list.get(index) == replaced) {
                list.set(index, before);
                return;
            }
            list.replaceAll(element -> element == replaced ? before : element);
        }
    }

    /** A value of a map. */
    record ToMap(Map<Object, Object> map, Object key, Object before, Supplier<?> after)
            implements Write {

        @Override
        public void apply() {
            map.put(key, after.get());
        }

        @Override
        public void revert() {
            if (map.get(key) == after.get()) {
                map.put(key, before);
            }
        }
    }

    /** An element of a collection without positions; iteration order is kept. */
    record ToCollection(Collection<Object> collection, Object before, Supplier<?> after)
            implements Write {

        @Override
        public void apply() {
            exchange(before, after.get());
        }

        @Override
        public void revert() {
            exchange(after.get(), before);
        }

        private void exchange(Object from, Object to) {
            List<Object> elements = new ArrayList<>(collection);
            elements.replaceAll(element -> element == from ? to : element);
            collection.clear();
            collection.addAll(elements);
        }
    }
}
