# `[` and `[<-` of arrays, with R's subscripts: from 1, negative to leave out, logical, matrices, and missing ones.

# The subscripts of one dimension as whole numbers, or NULL for all.
positions <- function(at, size) {
  if (is.null(at)) return(NULL)
  if (is.mx.ndarray(at)) at <- as.array(at)
  if (is.logical(at) && length(at) != size && length(at) != 1L) {
    index_error("expected one logical value or %d, got %d", size, length(at))
  }
  if (!is.numeric(at) && !is.logical(at)) index_error("expected numbers or logical values, got %s", class(at)[1])
  if (is.numeric(at) && any(abs(at) > size, na.rm = TRUE)) {
    index_error("expected subscripts up to %.0f, got %.0f", size, at[which.max(abs(at))])
  }
  found <- seq_len(size)[at]
  if (anyNA(found)) index_error("a subscript is NA")
  found
}

index_error <- function(format, ...) {
  message <- sprintf(format, ...)
  stop(structure(list(message = message, call = NULL, code = "index", operator = NULL, argument = NULL),
                 class = c("mxr_error_index", "mxr_error", "error", "condition")))
}

# Whether subscripts are one after the other.
is_range <- function(at) is.null(at) || (length(at) > 0L && all(diff(at) == 1L))

# Subscripts of all elements together, in the order of memory, from one vector, from a matrix with a row for each, or
# from an array of the same dimensions that is not 0 where elements are meant, as comparisons give it.
flat <- function(at, dims) {
  if (is.mx.ndarray(at)) at <- if (identical(dim(at), dims)) as.array(at) != 0 else as.array(at)
  if (is.matrix(at) && is.numeric(at) && ncol(at) == length(dims) && length(dims) > 1L) {
    return(drop(1 + (at - 1) %*% c(1, cumprod(dims))[seq_along(dims)]))
  }
  at
}

`[.MXNDArray` <- function(x, ..., drop = TRUE) {
  given <- eval(substitute(alist(...)))
  at <- lapply(seq_along(given), function(i) if (identical(given[[i]], quote(expr = ))) NULL else ...elt(i))
  dims <- dim(x)
  if (length(at) == 0L || (length(at) == 1L && is.null(at[[1]]))) return(x)
  if (length(at) == 1L) {
    at <- list(flat(at[[1]], dims))
    if (length(dims) != 1L) x <- mx.nd.reshape(x, shape = -1)
    dims <- dim(x)
  }
  if (length(at) != length(dims)) index_error("expected %d subscripts, got %d", length(dims), length(at))
  at <- Map(positions, at, dims)
  sizes <- ifelse(vapply(at, is.null, NA), dims, lengths(at))
  if (any(sizes == 0L)) return(mx.nd.empty(sizes, ctx(x), mx.nd.dtype(x)))
  x <- pick(x, at, dims)
  if (drop && length(sizes) > 1L && any(sizes == 1L)) {
    kept <- sizes[sizes != 1L]
    dim(x) <- if (length(kept) == 0L) 1L else kept
  }
  x
}

# Takes ranges by one slice, and other subscripts dimension by dimension.
pick <- function(x, at, dims) {
  ranges <- vapply(at, is_range, NA)
  given <- !vapply(at, is.null, NA)
  if (any(ranges & given)) x <- do.call(mx.nd.slice, c(list(x), bounds(ifelse(ranges, at, list(NULL)))))
  for (i in which(!ranges)) {
    places <- mx.nd.array(at[[i]] - 1, ctx(x), "int64")
    x <- mx.nd.take(x, places, axis = length(dims) - i)
  }
  x
}

# What a slice from range to range takes: counted from 0, and NA for what is not bounded.
bounds <- function(at) {
  list(begin = vapply(at, function(r) if (is.null(r)) NA_real_ else r[1] - 1, 0),
       end = vapply(at, function(r) if (is.null(r)) NA_real_ else as.double(r[length(r)]), 0))
}

`[<-.MXNDArray` <- function(x, ..., value) {
  given <- eval(substitute(alist(...)))
  at <- lapply(seq_along(given), function(i) if (identical(given[[i]], quote(expr = ))) NULL else ...elt(i))
  dims <- dim(x)
  if (length(at) == 1L && is.null(at[[1]])) at <- vector("list", length(dims))
  if (length(at) == length(dims)) {
    if (length(at) == 1L) at <- list(flat(at[[1]], dims))
    at <- Map(positions, at, dims)
    if (all(vapply(at, is_range, NA))) return(assign_range(x, at, dims, value))
  } else if (length(at) != 1L) {
    index_error("expected %d subscripts, got %d", length(dims), length(at))
  }
  elements <- as.array(x)
  if (length(at) == 1L) {
    elements[flat(at[[1]], dims)] <- as.vector(value)
  } else {
    elements <- do.call(`[<-`, c(list(elements), lapply(at, function(i) if (is.null(i)) TRUE else i),
                                 list(value = as.vector(value))))
  }
  if (length(elements) != prod(dims)) index_error("a subscript lies outside")
  .Call(C_assign, x, mx.nd.array(array(elements, dims), ctx(x), mx.nd.dtype(x)))
}

assign_range <- function(x, at, dims, value) {
  sizes <- ifelse(vapply(at, is.null, NA), dims, lengths(at))
  where <- bounds(at)
  if (!is.mx.ndarray(value) && length(value) == 1L) {
    return(mx.nd.internal.slice.assign.scalar(x, scalar = as.double(value), begin = where$begin, end = where$end,
                                              out = x))
  }
  if (prod(sizes) %% length(value) != 0) {
    index_error("expected %.0f values, got %.0f", prod(sizes), length(value))
  }
  if (is.mx.ndarray(value)) dim(value) <- sizes
  else value <- mx.nd.array(array(value, sizes), ctx(x), mx.nd.dtype(x))
  if (all(vapply(at, is.null, NA))) return(.Call(C_assign, x, value))
  mx.nd.internal.slice.assign(x, value, begin = where$begin, end = where$end, out = x)
}

`[[.MXNDArray` <- function(x, ...) x[...]

head.MXNDArray <- function(x, n = 6L, ...) as.array(x)[seq_len(min(n, length(x)))]
