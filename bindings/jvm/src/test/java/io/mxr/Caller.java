package io.mxr;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Calls an operator's public function from the numbers and texts of a case, as a program that has them would. */
final class Caller {
    /** A case that no program can contain, because it does not compile, by the word for it in quirks.json. */
    static final class DoesNotCompile extends RuntimeException {
        private static final long serialVersionUID = 1;

        DoesNotCompile(String why) {
            super(why);
        }
    }

    private final Method method;
    private final Operator operator;
    private final Class<?> options;
    private final List<String> attrNames = new ArrayList<>();
    private final Map<Integer, String> names = new HashMap<>();

    private Caller(Method method) {
        this.method = method;
        operator = method.getAnnotation(Operator.class);
        java.lang.reflect.Type[] types = method.getGenericParameterTypes();
        java.lang.reflect.Type last = types[types.length - 1];
        options = (Class<?>) ((java.lang.reflect.ParameterizedType) last).getActualTypeArguments()[0];
        Registry.find("operators", operator.value()).attrs.forEach((name, id) -> names.put(id, name));
        attrNames.addAll(names.values());
    }

    /** The functions of a class and those inside, by operator. */
    static Map<String, Caller> all(Class<?> functions) {
        Map<String, Caller> all = new HashMap<>();
        List<Class<?>> classes = new ArrayList<>(Arrays.asList(functions.getDeclaredClasses()));
        classes.add(functions);
        for (Class<?> one : classes) {
            for (Method method : one.getDeclaredMethods()) {
                Operator operator = method.getAnnotation(Operator.class);
                if (operator != null) all.put(operator.value(), new Caller(method));
            }
        }
        return all;
    }

    /** Calls it on arrays or symbols. */
    Object call(Cases.Case one, List<?> inputs) throws Exception {
        for (Integer id : one.attrs.keySet()) {
            if (!names.containsKey(id)) throw new DoesNotCompile("no such attribute");
        }
        Map<String, Object> attrs = new HashMap<>();
        one.attrs.forEach((id, value) -> attrs.put(names.get(id), value));
        Class<?>[] types = method.getParameterTypes();
        Object[] given = new Object[types.length];
        int n = types.length - 1 - operator.required().length;
        long singles = Arrays.stream(types).limit(n).filter(type -> type != List.class).count();
        if (singles == n && inputs.size() > n) throw new DoesNotCompile("too many inputs");
        int at = 0;
        for (int i = 0; i < n; i++) {
            if (types[i] == List.class) given[i] = inputs.subList((int) Math.min(singles, inputs.size()), inputs.size());
            else given[i] = at < inputs.size() ? inputs.get(at++) : null;
        }
        for (int i = 0; i < operator.required().length; i++) {
            String name = operator.required()[i];
            if (!attrs.containsKey(name)) throw new DoesNotCompile("missing attribute");
            given[n + i] = converted(attrs.remove(name), types[n + i]);
        }
        List<Consumer<Object>> setters = new ArrayList<>();
        for (Map.Entry<String, Object> attr : attrs.entrySet()) setters.add(setter(attr.getKey(), attr.getValue()));
        given[types.length - 1] = (Consumer<Object>) object -> setters.forEach(setter -> setter.accept(object));
        return invoke(method, null, given);
    }

    private static Object invoke(Method method, Object object, Object... given) throws Exception {
        try {
            method.setAccessible(true);
            return method.invoke(object, given);
        } catch (InvocationTargetException failure) {
            if (failure.getCause() instanceof RuntimeException) throw (RuntimeException) failure.getCause();
            throw failure;
        }
    }

    /** Sets an attribute of options. */
    private Consumer<Object> setter(String name, Object value) {
        String plain = name.replace("_", "");
        for (Method method : options.getDeclaredMethods()) {
            String own = method.getName().replace("_", "");
            boolean none = value == null && own.equalsIgnoreCase(plain + "None") && method.getParameterCount() == 0;
            boolean some = own.equalsIgnoreCase(plain) && method.getParameterCount() == 1;
            if (!none && !some) continue;
            if (some && value == null && method.getParameterTypes()[0].isPrimitive()) {
                if (Arrays.stream(options.getDeclaredMethods()).anyMatch(m -> m.getName().equals(method.getName() + "None"))) {
                    continue;
                }
                throw new DoesNotCompile("wrong type");
            }
            Object[] given = none ? new Object[0] : new Object[] {converted(value, method.getParameterTypes()[0])};
            return object -> {
                try {
                    invoke(method, object, given);
                } catch (RuntimeException failure) {
                    throw failure;
                } catch (Exception failure) {
                    throw new AssertionError(failure);
                }
            };
        }
        throw new DoesNotCompile("no such attribute");
    }

    /** A value as a parameter takes it. */
    private static Object converted(Object value, Class<?> type) {
        if (value == null && !type.isPrimitive()) return null;
        if (type == boolean.class && value instanceof Long) return (Long) value != 0;
        if (type == boolean.class && value instanceof Boolean) return value;
        if (type == long.class && value instanceof Long) return value;
        if (type == double.class && (value instanceof Long || value instanceof Double)) return ((Number) value).doubleValue();
        if (type == String.class && value instanceof String) return value;
        if (type == DType.class && value instanceof String) {
            if (Arrays.stream(DType.values()).noneMatch(d -> d.toString().equals(value))) {
                throw new DoesNotCompile("no such value");
            }
            return DType.of((String) value);
        }
        if (type == double[].class && value instanceof long[]) return Arrays.stream((long[]) value).asDoubleStream().toArray();
        if (type == double[].class && value instanceof Number) return new double[] {((Number) value).doubleValue()};
        if (type == double[].class && value instanceof double[]) return value;
        long[] ints = value instanceof Long ? new long[] {(Long) value} : value instanceof long[] ? (long[]) value : null;
        if (type == long[].class && ints != null) return ints;
        if (type == Shape.class && ints != null) return Shape.of(ints);
        throw new DoesNotCompile("wrong type");
    }
}
