package org.nni4j.layer;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.nn.Block;
import ai.djl.nn.core.Linear;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.objenesis.ObjenesisStd;

class LayerAdapterTest {

    @Test
    void classFor_sameClass_isGeneratedOnce() {
        assertThat(LayerAdapter.classFor(Linear.class))
                .isSameAs(LayerAdapter.classFor(Linear.class))
                .isAssignableTo(Linear.class);
    }

    static class ManyThreads extends Networks.BlockField {}

    @Test
    void classFor_manyThreads_agreeOnOneClass() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Class<?>>> calls =
                    IntStream.range(0, 16)
                            .<Callable<Class<?>>>mapToObj(
                                    i -> () -> LayerAdapter.classFor(ManyThreads.class))
                            .toList();
            Set<Class<?>> classes = new HashSet<>();
            for (Future<Class<?>> result : threads.invokeAll(calls)) {
                classes.add(result.get());
            }
            assertThat(classes).hasSize(1);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Equality is the adapter's own, so that lists find it. */
    @Test
    void equals_itself_isTrue() {
        Linear original = Networks.linear();
        Block adapter =
                LayerAdapter.create(
                        LayerAdapter.classFor(Linear.class),
                        original,
                        new CountingWrapper(original),
                        new ObjenesisStd());

        assertThat(List.of(original, adapter).indexOf(adapter)).isEqualTo(1);
        assertThat(LayerAdapter.isAdapter(adapter)).isTrue();
        assertThat(LayerAdapter.isAdapter(original)).isFalse();
        assertThat(LayerAdapter.original(adapter)).isSameAs(original);
    }

    /** A network of a plug-in whose class loader knows DJL but not this library. */
    private static class PluginLoader extends ClassLoader {
        PluginLoader() {
            super("plugin", LayerAdapterTest.class.getClassLoader());
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("org.nni4j.")) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            if (loaded != null) {
                return loaded;
            }
            if (!name.startsWith(Networks.class.getName()) || name.contains("$$")) {
                throw new ClassNotFoundException(name);
            }
            String file = name.replace('.', '/') + ".class";
            try (InputStream in =
                    LayerAdapterTest.class.getClassLoader().getResourceAsStream(file)) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                return defineClass(name, bytes, 0, bytes.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }

    @Test
    void attach_layerClassOfAnotherLoader_worksInThatLoader() throws Exception {
        Class<?> foreign = new PluginLoader().loadClass(Networks.PrivateLayerField.class.getName());
        Constructor<?> constructor = foreign.getDeclaredConstructor();
        constructor.setAccessible(true);
        Block root = (Block) constructor.newInstance();
        assertThat(foreign).isNotSameAs(Networks.PrivateLayerField.class);
        List<String> before = ObjectGraph.of(root);

        LayerTree tree = LayerTree.of(root);
        Attachment attachment = tree.attach(CountingWrapper.around(tree.layers()));

        Set<String> loaders =
                root.getChildren().values().stream()
                        .map(
                                child ->
                                        LayerWalk.original(child)
                                                .getClass()
                                                .getClassLoader()
                                                .getName())
                        .collect(Collectors.toSet());
        assertThat(loaders).containsExactly("plugin");
        attachment.detach();
        assertThat(ObjectGraph.of(root)).isEqualTo(before);
    }
}
