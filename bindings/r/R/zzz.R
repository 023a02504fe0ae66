# Loading the package: libmxr, and what is registered when it is there.

.onLoad <- function(libname, pkgname) {
  .Call(C_load, file.path(libname, pkgname, "lib", "libmxr.so"))
  .Call(C_name_counts, new.env(parent = emptyenv()))
}

# Calls a function with one argument for the C code: a list of the value, or the condition that it raised.
guarded <- function(f, argument) {
  tryCatch(list(f(argument)), error = identity, interrupt = identity)
}
