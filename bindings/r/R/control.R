# Loops and branches. In symbols a function composes the body in a scope of its own, `__subgraph_name__`; the library
# cuts out what was composed there and makes inputs of whatever else it reads. On arrays they are R's own.

SCOPE <- "__subgraph_name__"

mx.attr.scope <- function(attr, expr) {
  before <- .Call(C_set_attrs, NULL)
  on.exit(.Call(C_set_attrs, before))
  .Call(C_set_attrs, c(before[setdiff(names(before), names(attr))], texts(attr)))
  expr
}

scopes <- new.env()

# A scope that is like no other.
new_scope <- function(name) {
  outer <- .Call(C_set_attrs, NULL)
  .Call(C_set_attrs, outer)
  if (!is.null(outer) && SCOPE %in% names(outer)) name <- paste0(outer[[SCOPE]], "$", name)
  n <- if (is.null(scopes[[name]])) 0L else scopes[[name]]
  scopes[[name]] <- n + 1L
  paste0(name, n)
}

# Symbols of one output each, from one or from lists.
single <- function(values, what) {
  if (is.mx.symbol(values)) return(lapply(seq_along(outputs(values)), function(i) values[[i]]))
  if (!is.list(values)) stop(what, ": expected symbols, got ", class(values)[1], call. = FALSE)
  unlist(lapply(unname(values), single, what), recursive = FALSE)
}

# What a function composes in a scope, for variables that stand for symbols. `form` is what was given: a symbol or a list.
body_of <- function(scope, symbols, compose) {
  mx.attr.scope(structure(list(scope), names = SCOPE), {
    names <- make.unique(vapply(symbols, function(s) s$name, ""), "-")
    variables <- lapply(paste0(names, "-0"), mx.symbol.Variable)
    list(scope, variables, compose(variables))
  })
}

# The arguments of a body: what was given alone comes alone.
as_given <- function(variables, given) {
  if (is.mx.symbol(given)) variables[[1]] else structure(variables, names = names(given))
}

# The outputs of a loop from `from` to `to`, alone if the body gave one alone.
taken <- function(symbol, from, to, form) {
  found <- lapply(seq_len(max(0, to - from + 1)) + from - 1, function(i) symbol[[i]])
  if (is.mx.symbol(form)) found[[1]] else structure(found, names = names(form))
}

mx.symbol.foreach <- function(body, data, init.states, name = NULL) {
  rows <- single(data, "data")
  states <- single(init.states, "init.states")
  made <- NULL
  loop <- body_of(new_scope("foreach"), c(rows, states), function(variables) {
    n <- length(rows)
    made <<- body(as_given(variables[seq_len(n)], data), as_given(variables[n + seq_along(states)], init.states))
    c(single(made[[1]], "outputs"), single(made[[2]], "states"))
  })
  symbol <- .Call(C_symbol_foreach, name, rows, states, loop)
  n <- length(symbol) - length(states)
  list(taken(symbol, 1, n, made[[1]]), taken(symbol, n + 1, length(symbol), init.states))
}

mx.symbol.while.loop <- function(cond, func, loop.vars, max.iterations, name = NULL) {
  states <- single(loop.vars, "loop.vars")
  arguments <- function(variables) if (is.mx.symbol(loop.vars)) variables[1] else as_given(variables, loop.vars)
  test <- body_of(new_scope("while_loop_cond"), states, function(variables) {
    single(do.call(cond, arguments(variables)), "cond")
  })
  made <- NULL
  step <- body_of(new_scope("while_loop_func"), states, function(variables) {
    made <<- do.call(func, arguments(variables))
    c(if (!is.null(made[[1]])) single(made[[1]], "outputs"), single(made[[2]], "loop.vars"))
  })
  symbol <- .Call(C_symbol_while_loop, name, states, test, step, max.iterations)
  n <- length(symbol) - length(states)
  list(if (!is.null(made[[1]])) taken(symbol, 1, n, made[[1]]), taken(symbol, n + 1, length(symbol), loop.vars))
}

mx.symbol.cond <- function(pred, then.func, else.func, name = NULL) {
  test <- body_of(new_scope("cond_pred"), list(), function(none) single(pred, "pred"))
  made <- NULL
  then <- body_of(new_scope("cond_then"), list(), function(none) single(made <<- then.func(), "then.func"))
  otherwise <- body_of(new_scope("cond_else"), list(), function(none) single(else.func(), "else.func"))
  symbol <- .Call(C_symbol_cond, name, test, then, otherwise)
  taken(symbol, 1, length(symbol), made)
}
