# Loading the package: libmxr, and what is registered when it is there.

.onLoad <- function(libname, pkgname) {
  .Call(C_load, file.path(libname, pkgname, "lib", "libmxr.so"))
  .Call(C_name_counts, new.env(parent = emptyenv()))
}

# Calls a function with one argument for the C code: a list of the value, or the condition that it raised.
guarded <- function(f, argument) {
  tryCatch(list(f(argument)), error = identity, interrupt = identity)
}

# Arrays have the mark of S4 objects for this: `%*%` has methods of S4 only before R 4.3.
setOldClass("MXNDArray")
setMethod("show", "MXNDArray", function(object) print.MXNDArray(object))
setMethod("%*%", signature("MXNDArray", "MXNDArray"), function(x, y) matrix_product(x, y))
setMethod("%*%", signature("MXNDArray", "ANY"), function(x, y) matrix_product(x, y))
setMethod("%*%", signature("ANY", "MXNDArray"), function(x, y) matrix_product(x, y))
