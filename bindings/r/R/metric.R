# Metrics: how good predictions are. An update waits for nothing; asking for the values does.

more.metrics <- identity

made.metrics <- function(handle, given) structure(list(handle = handle), class = "MXMetric")

# A metric from one, from a function that makes one, or from its name.
as_metric <- function(metric) {
  if (is.character(metric)) mx.metric.create(metric) else if (is.function(metric)) metric() else metric
}

mx.metric.create <- function(name, ...) {
  short <- c(acc = "Accuracy", top_k_acc = "TopKAccuracy", top_k_accuracy = "TopKAccuracy", ce = "CrossEntropy",
             nll_loss = "NegativeLogLikelihood", pearsonr = "PearsonCorrelation", composite = "CompositeEvalMetric")
  all <- grep("^mx\\.metric\\.[A-Z]", ls(topenv()), value = TRUE)
  found <- match(tolower(paste0("mx.metric.", if (name %in% names(short)) short[[name]] else name)), tolower(all))
  if (is.na(found)) stop("there is no metric ", name, call. = FALSE)
  get(all[found], envir = topenv())(...)
}

mx.metric.custom <- function(name, feval) {
  metric <- mx.metric.CustomMetric(name = name)
  metric$feval <- feval
  metric
}

mx.metric.composite <- function(...) {
  metric <- mx.metric.CompositeEvalMetric()
  for (part in list(...)) .Call(C_metric_push, metric$handle, as_metric(part)$handle)
  metric
}

mx.metric.update <- function(metric, label, pred) {
  if (is.mx.ndarray(label)) label <- list(label)
  if (is.mx.ndarray(pred)) pred <- list(pred)
  if (is.null(metric$feval)) {
    .Call(C_metric_update, metric$handle, label, pred)
  } else {
    for (i in seq_along(label)) .Call(C_metric_add, metric$handle, metric$feval(label[[i]], pred[[i]]), 1)
  }
  invisible(metric)
}

mx.metric.get <- function(metric, global = FALSE) .Call(C_metric_get, metric$handle, global)

mx.metric.reset <- function(metric, local = FALSE) invisible(.Call(C_metric_reset, metric$handle, local))

mx.metric.accuracy <- function() mx.metric.Accuracy()

mx.metric.top_k_accuracy <- function(top_k = NULL) mx.metric.TopKAccuracy(top_k = top_k)

mx.metric.mae <- function() mx.metric.MAE()

mx.metric.mse <- function() mx.metric.MSE()

mx.metric.rmse <- function() mx.metric.RMSE()

mx.metric.logloss <- function() mx.metric.CrossEntropy()

print.MXMetric <- function(x, ...) {
  values <- mx.metric.get(x)
  cat("<MXMetric ", paste(names(values), format(values), sep = " = ", collapse = ", "), ">\n", sep = "")
  invisible(x)
}
