# Data iterators: batches of data and labels, with samples along the last dimension.

# Arrays as the library takes them: one, or a list with or without names.
as_arrays <- function(values) {
  array_of <- function(value) if (is.mx.ndarray(value)) value else mx.nd.array(value)
  if (is.list(values) && !is.mx.ndarray(values)) lapply(values, array_of)
  else if (!is.null(values)) array_of(values)
}

# What an iterator reads from: nothing, data and labels, or other iterators.
more.data_iters <- function(from) {
  if (inherits(from, "MXDataIter")) from <- list(from)
  if (length(from) == 0L) return(NULL)
  if (inherits(from[[1]], "MXDataIter")) return(lapply(from, function(iter) iter[["handle"]]))
  lapply(from, as_arrays)
}

made.data_iters <- function(handle, given) structure(list(handle = handle), class = "MXDataIter")

mx.io.arrayiter <- function(data, label = NULL, batch.size = 128, shuffle = FALSE) {
  mx.io.NDArrayIter(data, label, batch_size = batch.size, shuffle = shuffle)
}

`$.MXDataIter` <- function(x, name) {
  handle <- .subset2(x, "handle")
  switch(name,
    reset = function(hard = FALSE) invisible(.Call(C_iter_reset, handle, hard)),
    iter.next = function() .Call(C_iter_next, handle),
    value = function() batch_of(handle),
    num.pad = function() .Call(C_iter_pad, handle),
    index = function() .Call(C_iter_index, handle),
    batch.size = .Call(C_iter_batch_size, handle),
    provide.data = .Call(C_iter_descs, handle, MXR_DATA),
    provide.label = .Call(C_iter_descs, handle, MXR_LABELS),
    stop("an iterator has no '", name, "'", call. = FALSE))
}

# The arrays of a batch: alone where there is one, as in MXNet's package.
batch_of <- function(handle) {
  alone <- function(arrays) if (length(arrays) == 1L) arrays[[1]] else arrays
  list(data = alone(.Call(C_iter_arrays, handle, MXR_DATA)), label = alone(.Call(C_iter_arrays, handle, MXR_LABELS)))
}

print.MXDataIter <- function(x, ...) {
  shown <- function(list) paste(names(list), vapply(list, function(d) paste(d$dim, collapse = "x"), ""), collapse = ", ")
  cat("<MXDataIter of ", shown(c(x$provide.data, x$provide.label)), ">\n", sep = "")
  invisible(x)
}
