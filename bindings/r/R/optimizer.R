# What the functions of registered.R make: optimizers, schedules, initializers; and MXNet's names for some of them.

# The C code makes each from what `more` gives besides attributes; `given` is the environment of the arguments.
more.optimizers <- identity

made.optimizers <- function(handle, given) structure(list(handle = handle), class = "MXOptimizer")

more.lr_schedulers <- identity

made.lr_schedulers <- function(handle, given) handle

mx.opt.create <- function(name, ...) {
  make <- get0(paste0("mx.opt.", tolower(name)), envir = topenv(), mode = "function")
  if (is.null(make)) stop("there is no optimizer ", name, call. = FALSE)
  make(...)
}

mx.opt.get.updater <- function(optimizer, weights, ctx = NULL) {
  if (!is.null(names(weights))) .Call(C_optimizer_add_names, optimizer$handle, names(weights))
  handle <- .Call(C_updater, optimizer$handle)
  structure(function(weight, grad) {
    .Call(C_update, handle, weight, grad)
    invisible(weight)
  }, class = c("MXUpdater", "function"), handle = handle)
}

mx.opt.states <- function(updater) .Call(C_updater_to_raw, attr(updater, "handle"))

mx.opt.set.states <- function(updater, states) {
  invisible(.Call(C_updater_from_raw, attr(updater, "handle"), states))
}

mx.opt.learning.rate <- function(optimizer, lr = NULL) .Call(C_learning_rate, optimizer$handle, lr)

mx.opt.num.update <- function(optimizer) .Call(C_num_update, optimizer$handle)

mx.opt.set.lr.mult <- function(optimizer, factors) {
  invisible(.Call(C_optimizer_set_mults, optimizer$handle, factors, FALSE))
}

mx.opt.set.wd.mult <- function(optimizer, factors) {
  invisible(.Call(C_optimizer_set_mults, optimizer$handle, factors, TRUE))
}

print.MXOptimizer <- function(x, ...) {
  cat("<MXOptimizer, learning rate ", format(mx.opt.learning.rate(x)), ">\n", sep = "")
  invisible(x)
}

mx.lr_scheduler.value <- function(scheduler, num_update) .Call(C_lr_at, scheduler, num_update)

# An initializer is a function of a parameter's name and dimensions, as in MXNet's package.
more.initializers <- identity

made.initializers <- function(handle, given = NULL) {
  structure(function(name, shape, ctx = NULL, allow.unknown = FALSE) {
    if (allow.unknown && is.null(.Call(C_role, name))) return(NULL)
    .Call(C_initialize, handle, name, NULL, mx.nd.zeros(shape, ctx))
  }, class = c("MXInitializer", "function"), handle = handle)
}

mx.init.fill <- function(initializer, array) {
  invisible(.Call(C_initialize, attr(initializer, "handle"), NULL, NULL, array))
}

mx.init.uniform <- function(scale = NULL) mx.init.Uniform(scale = scale)

mx.init.normal <- function(sd = NULL) mx.init.Normal(sigma = sd)

mx.init.parse <- function(text) made.initializers(.Call(C_initializer_parse, text))

mx.init.create <- function(initializer, shape.array, ctx = NULL, skip.unknown = TRUE) {
  made <- Map(function(name, shape) initializer(name, shape, ctx, allow.unknown = skip.unknown),
              names(shape.array), shape.array)
  Filter(Negate(is.null), made)
}

print.MXInitializer <- function(x, ...) {
  cat("<MXInitializer>\n")
  invisible(x)
}
