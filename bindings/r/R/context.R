# Devices, and what there is to know of the library and its engine.

context <- function(device, kind, id) {
  structure(list(device = device, device_id = as.integer(id), device_typeid = kind), class = "MXContext")
}

mx.cpu <- function(dev.id = 0) context("cpu", MXR_CPU, dev.id)

mx.gpu <- function(dev.id = 0) context("gpu", MXR_GPU, dev.id)

current <- new.env()

mx.ctx.default <- function(new = NULL) {
  before <- if (is.null(current$context)) mx.cpu() else current$context
  if (is.null(new)) return(before)
  .Call(C_set_device, new)
  current$context <- new
  invisible(before)
}

is.mx.context <- function(x) inherits(x, "MXContext")

format.MXContext <- function(x, ...) sprintf("%s(%d)", x$device, x$device_id)

print.MXContext <- function(x, ...) {
  cat("<MXContext ", format(x), ">\n", sep = "")
  invisible(x)
}

mx.set.seed <- function(seed, ctx = NULL) invisible(.Call(C_seed, seed, ctx))

mx.wait.all <- function() invisible(.Call(C_wait_all))

mx.info <- function() {
  list(version = .Call(C_version), build = .Call(C_build_info), library = .Call(C_library),
       threads = .Call(C_num_threads), pending = .Call(C_pending))
}

mx.memory <- function(trim = FALSE) {
  if (trim) .Call(C_memory_trim)
  found <- .Call(C_memory)
  names(found) <- c("in.use", "kept", "peak")
  found
}

mx.shutdown <- function() invisible(.Call(C_shutdown))

mx.scope <- function(expr) {
  .Call(C_scope_begin)
  keep <- NULL
  on.exit(.Call(C_scope_end, keep))
  keep <- withVisible(expr)
  if (keep$visible) keep$value else invisible(keep$value)
}
