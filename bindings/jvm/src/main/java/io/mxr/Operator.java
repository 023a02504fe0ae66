package io.mxr;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Says which operator of MXNet's a function calls. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Operator {
    /** MXNet's name. */
    String value();

    /** MXNet's names of the attributes that are parameters, in their order. */
    String[] required() default {};
}
