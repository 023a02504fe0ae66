# Prediction with a symbol and its parameters.

# Variables that have no parameter: what a user gives, and what only training needs.
free_inputs <- function(model) setdiff(arguments(model$symbol), names(model$arg.params))

# The one variable that a user gives.
data_name <- function(model) {
  given <- Filter(function(input) !isTRUE(input$label), model$inputs)
  names <- if (length(given) > 0) names(given) else grep("label$", free_inputs(model), value = TRUE, invert = TRUE)
  if (length(names) != 1L) {
    stop("the model has the inputs ", paste(names, collapse = ", "), "; name them", call. = FALSE)
  }
  names
}

# An executor that predicts, with the model's parameters in it.
predictor <- function(model, inputs, ctx) {
  exec <- do.call(mx.simple.bind, c(list(model$symbol, ctx = ctx, grad.req = "null"), inputs))
  mx.exec.copy.params(exec, model$arg.params, model$aux.params, allow.extra.params = TRUE)
}

mx.predictor <- function(symbol, params = NULL, ctx = mx.ctx.default()) {
  model <- if (is.character(symbol) && is.null(params)) {
    mx.load.model(symbol)
  } else if (inherits(symbol, "MXFeedForwardModel")) {
    symbol
  } else {
    feed_forward(if (is.character(symbol)) mx.symbol.load(symbol) else symbol,
                 split_params(if (is.character(params)) mx.nd.load(params) else params))
  }
  exec <- NULL
  dims <- NULL
  function(...) {
    given <- list(...)
    if (is.null(names(given)) && length(given) == 1L) names(given) <- data_name(model)
    given <- lapply(given, function(value) if (is.mx.ndarray(value)) value else mx.nd.array(value, ctx))
    if (!identical(lapply(given, dim), dims)) {
      exec <<- predictor(model, given, ctx)
      dims <<- lapply(given, dim)
    }
    mx.exec.update.arg.arrays(exec, given, match.name = TRUE)
    mx.exec.forward(exec, is.train = FALSE)
    found <- lapply(exec$outputs, mx.nd.copyto)
    if (length(found) == 1L) found[[1]] else found
  }
}

predict.MXFeedForwardModel <- function(object, X, ctx = mx.ctx.default(), array.batch.size = 128,
    array.layout = "auto", ...) {
  X <- colmajor(X, array.layout)
  dims <- dim(X)
  n <- dims[length(dims)]
  call <- mx.predictor(object, ctx = ctx)
  parts <- lapply(split(seq_len(n), (seq_len(n) - 1L) %/% array.batch.size), function(rows) {
    as.array(call(last_dimension(X, rows)))
  })
  out <- dim(parts[[1]])
  array(unlist(parts), c(out[-length(out)], n))
}

# Data whose last dimension is that of samples.
colmajor <- function(X, layout = "auto") {
  if (is.mx.ndarray(X)) X <- as.array(X)
  if (is.null(dim(X))) X <- array(X, length(X))
  if (layout == "rowmajor") aperm(X) else X
}

# Some samples of data.
last_dimension <- function(X, rows) {
  dims <- dim(X)
  each <- prod(dims[-length(dims)])
  at <- rep((rows - 1) * each, each = each) + seq_len(each)
  array(X[at], c(dims[-length(dims)], length(rows)))
}
