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
  if (inherits(X, "MXDataIter")) return(predict_batches(object, X, ctx))
  if (is.mx.ndarray(X)) X <- as.array(X)
  X <- colmajor(X, layout_of_prediction(object, X, array.layout))
  dims <- dim(X)
  n <- dims[length(dims)]
  call <- mx.predictor(object, ctx = ctx)
  parts <- lapply(split(seq_len(n), (seq_len(n) - 1L) %/% array.batch.size), function(rows) {
    as.array(call(last_dimension(X, rows)))
  })
  out <- dim(parts[[1]])
  array(unlist(parts), c(out[-length(out)], n))
}

# Predictions of all batches of an iterator, without those that fill up the last one.
predict_batches <- function(model, iter, ctx) {
  iter$reset()
  call <- mx.predictor(model, ctx = ctx)
  parts <- list()
  while (iter$iter.next()) {
    found <- as.array(call(iter$value()$data))
    n <- dim(found)[length(dim(found))] - iter$num.pad()
    parts[[length(parts) + 1L]] <- last_dimension(found, seq_len(n))
  }
  out <- dim(parts[[1]])
  array(unlist(parts), c(out[-length(out)], sum(vapply(parts, function(part) dim(part)[length(dim(part))], 0L))))
}

# Data whose last dimension is that of samples.
colmajor <- function(X, layout) {
  if (is.null(dim(X))) X <- array(X, length(X))
  if (layout == "rowmajor") aperm(X) else X
}

# The layout of data for a training: the one in which there are as many samples as labels.
layout_of_training <- function(X, y, layout) {
  if (layout != "auto" || is.null(y) || is.null(dim(X))) return(layout)
  n <- if (is.null(dim(y))) length(y) else dim(y)[length(dim(y))]
  dims <- dim(X)
  if (dims[length(dims)] != n && dims[1] == n) "rowmajor" else "colmajor"
}

# The layout of data for a prediction: the one that fits the parameters.
layout_of_prediction <- function(model, X, layout) {
  if (layout != "auto" || is.null(dim(X))) return(layout)
  fits <- function(dims) {
    known <- structure(list(dims), names = data_name(model))
    shapes <- tryCatch(do.call(mx.symbol.infer.shape, c(list(model$symbol), known)), mxr_error = function(e) NULL)
    shapes <- shapes$arg.shapes[names(model$arg.params)]
    !is.null(shapes) && all(mapply(function(shape, param) identical(as.numeric(shape), as.numeric(dim(param))),
                                   shapes, model$arg.params))
  }
  if (!fits(dim(X)) && fits(rev(dim(X)))) "rowmajor" else "colmajor"
}

# Some samples of data.
last_dimension <- function(X, rows) {
  dims <- dim(X)
  each <- prod(dims[-length(dims)])
  at <- rep((rows - 1) * each, each = each) + seq_len(each)
  array(X[at], c(dims[-length(dims)], length(rows)))
}
