package io.mxr;

/** Attributes that need not be given; what is not set means the library's default. */
public abstract class AttrOptions<T extends AttrOptions<T>> {
    final Attrs attrs = new Attrs();

    AttrOptions() {}

    /** This, as what it is. */
    @SuppressWarnings("unchecked")
    final T self() {
        return (T) this;
    }
}
