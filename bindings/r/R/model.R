# Training a symbol on data: MXNet's FeedForward and mlp, over the library's module.

# An iterator of data, from one, from a list of data and label, or from arrays of R.
as_iter <- function(X, y, batch.size, shuffle, layout) {
  if (inherits(X, "MXDataIter")) return(X)
  if (is.list(X) && is.null(y)) {
    y <- X$label
    X <- X$data
  }
  layout <- layout_of_training(X, y, layout)
  mx.io.arrayiter(colmajor(X, layout), if (is.null(dim(y))) y else colmajor(y, layout), batch.size, shuffle)
}

# What batches have, under the names that the symbol has for it: those of the iterator, or by order.
named_descs <- function(descs, names) {
  if (!all(names(descs) %in% names)) names(descs) <- names[seq_along(descs)]
  descs
}

# The variables of a symbol that data and labels are for.
input_names <- function(symbol, iter, input.names, output.names) {
  all <- arguments(symbol)
  labels <- if (is.null(output.names)) grep("label$", all, value = TRUE) else output.names
  given <- names(iter$provide.data)
  data <- if (!is.null(input.names)) input.names else if (all(given %in% all)) given else all[1]
  list(data = data, label = labels)
}

show_metric <- function(what, epoch, metric, verbose) {
  if (!verbose || is.null(metric)) return(invisible(NULL))
  values <- mx.metric.get(metric)
  cat(sprintf("[%d] %s-%s=%s\n", epoch, what, names(values), format(values, digits = 6)), sep = "")
}

# Shows a batch's labels and the module's outputs to a metric.
update_metric <- function(module, metric, labels, outputs) {
  if (is.null(metric)) return(invisible(NULL))
  if (is.null(metric$feval)) return(.Call(C_module_update_metric, module, metric$handle, labels))
  mx.metric.update(metric, labels, lapply(seq_len(outputs), function(i) .Call(C_module_output, module, i)))
}

# The values of a metric over other data.
evaluate <- function(module, iter, metric, outputs) {
  iter$reset()
  mx.metric.reset(metric)
  handle <- iter[["handle"]]
  while (.Call(C_iter_next, handle)) {
    labels <- .Call(C_iter_arrays, handle, MXR_LABELS)
    .Call(C_module_forward, module, .Call(C_iter_arrays, handle, MXR_DATA), labels, FALSE)
    update_metric(module, metric, labels, outputs)
  }
}

# One pass over the data; FALSE if a callback ends the training.
train_epoch <- function(module, iter, metric, epoch, callbacks, env, outputs, verbose) {
  handle <- iter[["handle"]]
  iter$reset()
  batch <- 0
  while (.Call(C_iter_next, handle)) {
    batch <- batch + 1
    labels <- .Call(C_iter_arrays, handle, MXR_LABELS)
    .Call(C_module_forward, module, .Call(C_iter_arrays, handle, MXR_DATA), labels, TRUE)
    .Call(C_module_backward, module, NULL)
    .Call(C_module_update, module)
    update_metric(module, metric, labels, outputs)
    if (!run_callbacks(callbacks, epoch, batch, env, verbose)) return(FALSE)
  }
  TRUE
}

run_callbacks <- function(callbacks, epoch, batch, env, verbose) {
  if (is.function(callbacks)) callbacks <- list(callbacks)
  going <- TRUE
  for (callback in callbacks) going <- !identical(callback(epoch, batch, env, verbose), FALSE) && going
  going
}

mx.model.FeedForward.create <- function(symbol, X, y = NULL, ctx = NULL, begin.round = 1, num.round = 10,
    optimizer = "sgd", initializer = mx.init.uniform(0.01), eval.data = NULL, eval.metric = NULL,
    epoch.end.callback = NULL, batch.end.callback = NULL, array.batch.size = 128, array.layout = "auto",
    kvstore = "local", verbose = TRUE, arg.params = NULL, aux.params = NULL, input.names = NULL,
    output.names = NULL, fixed.param = NULL, allow.extra.params = FALSE, ...) {
  iter <- as_iter(X, y, array.batch.size, TRUE, array.layout)
  eval.iter <- if (!is.null(eval.data)) as_iter(eval.data, NULL, array.batch.size, FALSE, array.layout)
  names <- input_names(symbol, iter, input.names, output.names)
  contexts <- if (is.mx.context(ctx)) list(ctx) else if (is.null(ctx)) list(mx.ctx.default()) else ctx
  module <- .Call(C_module, symbol, names$data, names$label, fixed.param, contexts)
  .Call(C_module_bind, module, named_descs(iter$provide.data, names$data), named_descs(iter$provide.label, names$label),
        TRUE)
  given <- !is.null(arg.params) || !is.null(aux.params)
  .Call(C_module_init_params, module, attr(initializer, "handle"), if (given) as.list(arg.params),
        if (given) as.list(aux.params), TRUE, allow.extra.params)
  named <- is.character(optimizer)
  if (named) optimizer <- mx.opt.create(optimizer, ...)
  .Call(C_module_init_optimizer, module, optimizer$handle,
        if (inherits(kvstore, "MXKVStore")) kvstore[["handle"]] else kvstore, named)
  fit(module, symbol, iter, eval.iter, as_metric(eval.metric), if (!is.null(eval.iter)) as_metric(eval.metric),
      begin.round, num.round, epoch.end.callback, batch.end.callback, verbose)
}

# The loop over epochs. Its environment is what callbacks see.
fit <- function(module, symbol, iter, eval.iter, metric, eval.metric, begin.round, num.round, epoch.end.callback,
    batch.end.callback, verbose) {
  env <- environment()
  outputs <- length(symbol)
  save <- function(prefix, epoch, states) {
    .Call(C_module_save_checkpoint, module, path.expand(prefix), epoch, states)
  }
  params <- function() {
    feed_forward(symbol, list(arg.params = .Call(C_module_params, module, MXR_LIST_ARGUMENTS),
                              aux.params = .Call(C_module_params, module, MXR_LIST_AUXILIARY_STATES)))
  }
  for (epoch in seq(begin.round, length.out = num.round)) {
    if (!is.null(metric)) mx.metric.reset(metric)
    going <- train_epoch(module, iter, metric, epoch, batch.end.callback, env, outputs, verbose)
    show_metric("Train", epoch, metric, verbose)
    if (!is.null(eval.metric)) {
      evaluate(module, eval.iter, eval.metric, outputs)
      show_metric("Validation", epoch, eval.metric, verbose)
    }
    if (!is.null(epoch.end.callback)) model <- params()
    if (!run_callbacks(epoch.end.callback, epoch, 0, env, verbose) || !going) break
  }
  params()
}

mx.model.init.params <- function(symbol, input.shape, output.shape = NULL, initializer, ctx = NULL) {
  shapes <- do.call(mx.symbol.infer.shape, c(list(symbol), input.shape, output.shape))
  inputs <- c(names(input.shape), names(output.shape), grep("label$", arguments(symbol), value = TRUE))
  wanted <- shapes$arg.shapes[setdiff(names(shapes$arg.shapes), inputs)]
  list(arg.params = mx.init.create(initializer, wanted, ctx),
       aux.params = mx.init.create(initializer, shapes$aux.shapes, ctx))
}

mx.mlp <- function(data, label, hidden_node = 1, out_node, dropout = NULL, activation = "tanh",
    out_activation = "softmax", ctx = mx.ctx.default(), ...) {
  net <- mx.symbol.Variable("data")
  activation <- rep_len(activation, length(hidden_node))
  for (i in seq_along(hidden_node)) {
    net <- mx.symbol.FullyConnected(net, num_hidden = hidden_node[i])
    net <- if (is.character(activation)) mx.symbol.Activation(net, act_type = activation[i]) else activation[[i]](net)
  }
  if (!is.null(dropout)) net <- mx.symbol.Dropout(net, p = dropout)
  net <- mx.symbol.FullyConnected(net, num_hidden = out_node)
  output <- switch(out_activation,
    softmax = mx.symbol.SoftmaxOutput,
    rmse = mx.symbol.LinearRegressionOutput,
    logistic = mx.symbol.LogisticRegressionOutput,
    stop("out_activation: expected \"softmax\", \"rmse\" or \"logistic\", got \"", out_activation, "\"", call. = FALSE))
  mx.model.FeedForward.create(output(net), X = data, y = label, ctx = ctx, ...)
}
