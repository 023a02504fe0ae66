# Callbacks: functions of the number of the epoch, of the batch, the training's environment and whether to print. One
# that gives FALSE ends the training. In the environment are `metric`, `eval.metric`, `model` and `save`.

more.callbacks <- identity

made.callbacks <- function(handle, given) {
  structure(function(iteration, nbatch, env, verbose = TRUE) {
    now <- proc.time()[["elapsed"]]
    batch <- max(0, nbatch - 1)
    if (!.Call(C_callback_due, handle, iteration - 1, batch, now)) return(TRUE)
    metric <- env$metric
    values <- if (!is.null(metric)) mx.metric.get(metric)
    said <- .Call(C_callback_call, handle, iteration - 1, batch, now, values)
    if (verbose && !is.null(said$text)) cat(said$text, if (!endsWith(said$text, "\r")) "\n", sep = "")
    if (said$reset && !is.null(metric)) mx.metric.reset(metric, local = TRUE)
    if (said$save) env$save(given$prefix, iteration, isTRUE(given$save_optimizer_states))
    TRUE
  }, class = c("MXCallback", "function"))
}

mx.callback.log.speedometer <- function(batch.size, frequency = NULL) {
  mx.callback.Speedometer(batch_size = batch.size, frequent = frequency)
}

mx.callback.save.checkpoint <- function(prefix, period = NULL) {
  mx.callback.do.checkpoint(prefix = prefix, period = period)
}

mx.callback.early.stop <- function(train.metric = NULL, eval.metric = NULL, bad.steps = NULL, maximize = FALSE,
    verbose = FALSE) {
  best <- if (maximize) -Inf else Inf
  bad <- 0
  function(iteration, nbatch, env, verbose = TRUE) {
    better <- function(value, than) if (maximize) value > than else value < than
    train <- if (!is.null(env$metric)) mx.metric.get(env$metric)[[1]]
    eval <- if (!is.null(env$eval.metric)) mx.metric.get(env$eval.metric)[[1]]
    if (!is.null(train.metric) && !is.null(train) && better(train, train.metric)) return(FALSE)
    if (!is.null(eval.metric) && !is.null(eval) && better(eval, eval.metric)) return(FALSE)
    if (is.null(bad.steps)) return(TRUE)
    now <- if (is.null(eval)) train else eval
    if (better(now, best)) {
      best <<- now
      bad <<- 0
    } else {
      bad <<- bad + 1
    }
    bad < bad.steps
  }
}
