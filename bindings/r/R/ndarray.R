# Arrays: made from values of R and back, their properties, printing.

mx.nd.array <- function(src.array, ctx = NULL, dtype = "float32") {
  if (is.mx.ndarray(src.array)) return(mx.nd.copyto(src.array, ctx))
  dims <- dim(src.array)
  .Call(C_array, src.array, if (is.null(dims)) length(src.array) else dims, dtype, ctx)
}

mx.nd.empty <- function(shape, ctx = NULL, dtype = "float32") .Call(C_empty, shape, dtype, ctx)

mx.nd.zeros <- function(shape, ctx = NULL, dtype = NULL) {
  mx.nd.internal.zeros(shape = shape, ctx = ctx, dtype = dtype)
}

mx.nd.ones <- function(shape, ctx = NULL, dtype = NULL) {
  mx.nd.internal.ones(shape = shape, ctx = ctx, dtype = dtype)
}

mx.nd.full <- function(shape, val, ctx = NULL, dtype = NULL) {
  mx.nd.internal.full(shape = shape, value = val, ctx = ctx, dtype = dtype)
}

mx.nd.arange <- function(start, stop = NULL, step = NULL, ctx = NULL, dtype = NULL) {
  mx.nd.internal.arange(start = start, stop = stop, step = step, ctx = ctx, dtype = dtype)
}

mx.runif <- function(shape, min = 0, max = 1, ctx = NULL) {
  mx.nd.random.uniform(low = min, high = max, shape = shape, ctx = ctx)
}

mx.rnorm <- function(shape, mean = 0, sd = 1, ctx = NULL) {
  mx.nd.random.normal(loc = mean, scale = sd, shape = shape, ctx = ctx)
}

mx.nd.copyto <- function(src, ctx = NULL) .Call(C_copy_to, src, if (is.null(ctx)) ctx(src) else ctx)

mx.nd.save <- function(ndarray, filename) {
  invisible(.Call(C_list_save, path.expand(filename), ndarray))
}

mx.nd.load <- function(filename) .Call(C_list_load, path.expand(filename))

mx.nd.to.dlpack <- function(x) .Call(C_to_dlpack, x)

mx.nd.from.dlpack <- function(tensor) .Call(C_from_dlpack, tensor)

is.mx.ndarray <- function(x) inherits(x, "MXNDArray")

is.MXNDArray <- is.mx.ndarray

mx.nd.dtype <- function(x) .Call(C_dtype, x)

mx.nd.wait <- function(x) invisible(.Call(C_wait_to_read, x))

mx.nd.detach <- function(x) .Call(C_detach, x)

ctx <- function(nd) {
  device <- .Call(C_device, nd)
  if (device[1] == 2L) mx.gpu(device[2]) else mx.cpu(device[2])
}

dim.MXNDArray <- function(x) .Call(C_dim, x)

`dim<-.MXNDArray` <- function(x, value) .Call(C_reshape, x, value)

length.MXNDArray <- function(x) prod(dim(x))

as.array.MXNDArray <- function(x, ...) .Call(C_as_array, x)

as.matrix.MXNDArray <- function(x, ...) as.matrix(as.array(x))

as.vector.MXNDArray <- function(x, mode = "any") as.vector(.Call(C_as_array, x), mode)

as.double.MXNDArray <- function(x, ...) as.double(.Call(C_as_array, x))

as.integer.MXNDArray <- function(x, ...) as.integer(.Call(C_as_array, x))

as.logical.MXNDArray <- function(x, ...) as.logical(.Call(C_as_array, x))

t.MXNDArray <- function(x) mx.nd.transpose(x)

# R names dimensions from 1 and puts the first one first, the library names axes from 0 and puts the last one first.
aperm.MXNDArray <- function(a, perm = NULL, ...) {
  n <- length(dim(a))
  if (is.null(perm)) return(mx.nd.transpose(a))
  if (!identical(sort(as.integer(perm)), seq_len(n))) {
    stop("'perm' must have each of the ", n, " dimensions once", call. = FALSE)
  }
  mx.nd.transpose(a, axes = n - perm)
}

all.equal.MXNDArray <- function(target, current, ...) {
  if (is.mx.ndarray(current)) current <- as.array(current)
  all.equal(as.array(target), current, ...)
}

is.na.MXNDArray <- function(x) mx.nd.internal.npi.isnan(x)

summary_line <- function(x) {
  sprintf("<MXNDArray %s %s @%s>", paste(dim(x), collapse = "x"), mx.nd.dtype(x), format(ctx(x)))
}

format.MXNDArray <- function(x, ...) summary_line(x)

print.MXNDArray <- function(x, ...) {
  if (.Call(C_is_closed, x)) {
    cat("<MXNDArray, closed>\n")
    return(invisible(x))
  }
  if (length(x) > 0) print(as.array(x), ...)
  cat(summary_line(x), "\n", sep = "")
  invisible(x)
}

str.MXNDArray <- function(object, ...) cat(" ", summary_line(object), "\n", sep = "")

close.MXNDArray <- function(con, ...) invisible(.Call(C_close, con))
