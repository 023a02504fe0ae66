# Symbols that are compiled: executors over arrays, cached operators, plans.

# How to compile, as flags of the library.
plan_flags <- function(training = FALSE, fuse = TRUE, simplify = TRUE, fold = TRUE, share = TRUE, mirror = FALSE,
    passes = FALSE, algorithms = TRUE, repeating = TRUE) {
  flags <- c(MXR_PLAN_TRAINING, MXR_PLAN_NO_FUSION, MXR_PLAN_NO_SIMPLIFICATION, MXR_PLAN_NO_FOLDING, MXR_PLAN_NO_SHARING,
             MXR_PLAN_MIRROR, MXR_PLAN_KEEP_PASSES, MXR_PLAN_NO_ALGORITHMS, MXR_PLAN_NO_REPEATING)
  sum(flags[c(training, !fuse, !simplify, !fold, !share, mirror, passes, !algorithms, !repeating)])
}

# A budget in bytes; "least" is as little as can be found.
budget_bytes <- function(budget) if (is.null(budget)) 0 else if (identical(budget, "least")) MXR_BUDGET_LEAST else budget

# What is known of variables: dimensions, or arrays of R and of the library, which have them.
known_dims <- function(given) {
  lapply(given, function(value) if (is.mx.ndarray(value) || !is.null(dim(value))) dim(value) else value)
}

new_executor <- function(handle, symbol, ctx) {
  structure(list(handle = handle, symbol = symbol, ctx = ctx, args = arguments(symbol), outs = outputs(symbol),
                 aux = auxiliary.states(symbol)), class = "MXExecutor")
}

mx.simple.bind <- function(symbol, ctx = mx.ctx.default(), grad.req = "null", fixed.param = NULL, ...,
    dtypes = NULL, shared.exec = NULL, budget = NULL, plan = list()) {
  requests <- grad.req
  if (length(fixed.param) > 0) requests <- c(requests, structure(rep("null", length(fixed.param)), names = fixed.param))
  if (is.null(names(requests))) names(requests) <- rep("", length(requests))
  handle <- .Call(C_simple_bind, symbol, known_dims(list(...)), dtypes, requests, shared.exec[["handle"]],
                  do.call(plan_flags, plan), budget_bytes(budget), ctx)
  new_executor(handle, symbol, ctx)
}

mx.executor.bind <- function(symbol, arg.arrays, grad.arrays = NULL, grad.req = "write", aux.arrays = NULL,
    ctx = mx.ctx.default(), budget = NULL, plan = list()) {
  given <- c(named(arg.arrays, arguments(symbol)), named(aux.arrays, auxiliary.states(symbol)))
  gradients <- named(grad.arrays, arguments(symbol))
  inputs <- inputs_of(symbol)
  missed <- setdiff(inputs, names(given))
  if (length(missed) > 0) stop("no array is given for ", paste(missed, collapse = ", "), call. = FALSE)
  wanted <- ifelse(vapply(inputs, function(name) is.null(gradients[[name]]), NA), "null", grad.req)
  handle <- .Call(C_bind, symbol, given[inputs], lapply(inputs, function(name) gradients[[name]]), wanted,
                  do.call(plan_flags, plan), budget_bytes(budget), ctx)
  new_executor(handle, symbol, ctx)
}

# A list with names: its own, or those that its elements have by their order.
named <- function(values, names) {
  if (is.null(names(values)) && length(values) > 0) names(values) <- names[seq_along(values)]
  values
}

mx.exec.forward <- function(exec, is.train = TRUE) {
  .Call(C_executor_forward, exec[["handle"]], is.train)
  invisible(exec)
}

mx.exec.backward <- function(exec, ...) {
  heads <- list(...)
  if (length(heads) == 1L && is.list(heads[[1]])) heads <- heads[[1]]
  .Call(C_executor_backward, exec[["handle"]], heads)
  invisible(exec)
}

mx.exec.reshape <- function(exec, ..., allow.up.sizing = FALSE) {
  handle <- .Call(C_executor_reshape, exec[["handle"]], known_dims(list(...)), allow.up.sizing)
  new_executor(handle, exec[["symbol"]], exec[["ctx"]])
}

# Sets arrays of an executor from others, of R too, by name or by order.
update_arrays <- function(now, new, match.name, skip.null) {
  if (!match.name) names(new) <- names(now)[seq_along(new)]
  for (name in names(new)) {
    value <- new[[name]]
    if (is.null(value)) {
      if (skip.null) next
      stop("no array is given for ", name, call. = FALSE)
    }
    if (is.null(now[[name]])) stop("the executor has no array ", name, call. = FALSE)
    .Call(C_assign, now[[name]], like(value, now[[name]]))
  }
}

mx.exec.update.arg.arrays <- function(exec, arg.arrays, match.name = FALSE, skip.null = FALSE) {
  update_arrays(exec$ref.arg.arrays, arg.arrays, match.name, skip.null)
  invisible(exec)
}

mx.exec.update.aux.arrays <- function(exec, aux.arrays, match.name = FALSE, skip.null = FALSE) {
  update_arrays(exec$ref.aux.arrays, aux.arrays, match.name, skip.null)
  invisible(exec)
}

mx.exec.update.grad.arrays <- function(exec, grad.arrays, match.name = FALSE, skip.null = FALSE) {
  update_arrays(exec$ref.grad.arrays, grad.arrays, match.name, skip.null)
  invisible(exec)
}

mx.exec.copy.params <- function(exec, arg.params, aux.params = NULL, allow.extra.params = FALSE) {
  .Call(C_executor_copy_params, exec[["handle"]], c(arg.params, aux.params), allow.extra.params)
  invisible(exec)
}

mx.exec.set.monitor <- function(exec, callback) {
  wrapped <- if (!is.null(callback)) function(seen) callback(seen[[1]], seen[[2]])
  .Call(C_executor_set_monitor, exec[["handle"]], wrapped)
  invisible(exec)
}

mx.exec.plan <- function(exec, is.train = FALSE) .Call(C_executor_plan, exec[["handle"]], is.train)

`$.MXExecutor` <- function(x, name) {
  handle <- .subset2(x, "handle")
  switch(name,
    arg.arrays = , ref.arg.arrays = .Call(C_executor_arrays, handle, MXR_LIST_ARGUMENTS, .subset2(x, "args")),
    outputs = , ref.outputs = .Call(C_executor_arrays, handle, MXR_LIST_OUTPUTS, .subset2(x, "outs")),
    aux.arrays = , ref.aux.arrays = .Call(C_executor_arrays, handle, MXR_LIST_AUXILIARY_STATES, .subset2(x, "aux")),
    grad.arrays = , ref.grad.arrays = .Call(C_executor_arrays, handle, 0L, .subset2(x, "args")),
    symbol = .subset2(x, "symbol"),
    ctx = .subset2(x, "ctx"),
    stop("an executor has no '", name, "'", call. = FALSE))
}

print.MXExecutor <- function(x, ...) {
  cat("<MXExecutor of ", paste(.subset2(x, "outs"), collapse = ", "), ">\n", sep = "")
  invisible(x)
}

close.MXExecutor <- function(con, ...) invisible(.Call(C_close, .subset2(con, "handle")))

mx.cached.op <- function(symbol, keep.memory = FALSE, ctx = NULL, budget = NULL, plan = list()) {
  handle <- .Call(C_cached_op, symbol, keep.memory, do.call(plan_flags, plan), budget_bytes(budget), ctx)
  inputs <- inputs_of(symbol)
  n <- length(symbol)
  function(...) {
    given <- list(...)
    if (!is.null(names(given))) {
      missed <- setdiff(inputs, names(given))
      if (length(missed) > 0) stop("no array is given for ", paste(missed, collapse = ", "), call. = FALSE)
      given <- given[inputs]
    }
    .Call(C_cached_op_call, handle, given, n)
  }
}

mx.symbol.run <- function(symbol, ...) .Call(C_symbol_run, symbol, list(...), length(symbol))

mx.plan <- function(symbol, ..., grad = FALSE, budget = NULL, dtypes = NULL, ctx = NULL, plan = list()) {
  if (grad) plan$training <- TRUE
  .Call(C_plan, symbol, known_dims(list(...)), dtypes, structure(if (grad) "write" else "null", names = ""),
        do.call(plan_flags, plan), budget_bytes(budget), ctx)
}

summary.MXPlan <- function(object, ...) {
  c(.Call(C_plan_report, object), list(choices = .Call(C_plan_choices, object)))
}

mx.plan.passes <- function(plan) {
  found <- matrix(.Call(C_plan_passes, plan), nrow = 3L)
  lapply(split(found[-1, ], rep(factor(found[1, ], unique(found[1, ])), each = 2L)), function(pass) {
    list(text = pass[1], dot = pass[2])
  })
}

print.MXPlan <- function(x, ...) {
  cat(.Call(C_plan_text, x))
  invisible(x)
}
