# Stores of values that several devices share.

mx.kv.create <- function(type = "local") structure(list(handle = .Call(C_kvstore, type)), class = "MXKVStore")

# Calls a function for each key with its values: one array, or a list with an array of each device.
each_key <- function(keys, values, f) {
  if (is.mx.ndarray(values)) values <- list(values)
  if (length(keys) == 1L && length(values) > 1L) values <- list(values)
  for (i in seq_along(keys)) f(keys[[i]], values[[i]])
  invisible(values)
}

`$.MXKVStore` <- function(x, name) {
  handle <- .subset2(x, "handle")
  switch(name,
    init = function(keys, values) each_key(keys, values, function(key, value) .Call(C_kvstore_init, handle, key, value)),
    push = function(keys, values) each_key(keys, values, function(key, all) .Call(C_kvstore_push, handle, key, all)),
    pull = function(keys, out) each_key(keys, out, function(key, all) .Call(C_kvstore_pull, handle, key, all)),
    set.optimizer = function(optimizer) invisible(.Call(C_kvstore_set_optimizer, handle, optimizer$handle)),
    set.updater = function(update) {
      wrapped <- if (!is.null(update)) function(seen) update(seen[[1]], seen[[2]], seen[[3]])
      invisible(.Call(C_kvstore_set_update, handle, wrapped))
    },
    set.gradient.compression = function(type, ...) invisible(.External(C_kvstore_compress, handle, type, ...)),
    states = function() .Call(C_kvstore_states, handle),
    set.states = function(states) invisible(.Call(C_kvstore_set_states, handle, states)),
    type = .Call(C_kvstore_type, handle),
    rank = 0, num.workers = 1,
    stop("a store has no '", name, "'", call. = FALSE))
}

print.MXKVStore <- function(x, ...) {
  cat("<MXKVStore ", x$type, ">\n", sep = "")
  invisible(x)
}
