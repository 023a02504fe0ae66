# Models in files: MXNet's two files, and one file with the graph and its parameters.

# Parameters by the kind that their names in files begin with.
split_params <- function(params) {
  pick <- function(kind) {
    found <- params[startsWith(names(params), kind)]
    structure(found, names = substring(names(found), nchar(kind) + 1L))
  }
  list(arg.params = pick("arg:"), aux.params = pick("aux:"))
}

join_params <- function(arg.params, aux.params) {
  prefixed <- function(kind, params) structure(params, names = sprintf("%s%s", kind, names(params)))
  c(if (length(arg.params)) prefixed("arg:", arg.params), if (length(aux.params)) prefixed("aux:", aux.params))
}

feed_forward <- function(symbol, params) {
  structure(list(symbol = symbol, arg.params = params$arg.params, aux.params = params$aux.params),
            class = "MXFeedForwardModel")
}

mx.model.load <- function(prefix, iteration = NULL) {
  prefix <- path.expand(prefix)
  if (is.null(iteration)) return(mx.load.model(prefix))
  feed_forward(mx.symbol.load(paste0(prefix, "-symbol.json")),
               split_params(mx.nd.load(sprintf("%s-%04d.params", prefix, as.integer(iteration)))))
}

mx.model.save <- function(model, prefix, iteration = NULL) {
  if (is.null(iteration)) {
    return(mx.save.model(prefix, model$symbol, model$arg.params, model$aux.params))
  }
  mx.symbol.save(model$symbol, paste0(prefix, "-symbol.json"))
  mx.nd.save(join_params(model$arg.params, model$aux.params),
             sprintf("%s-%04d.params", prefix, as.integer(iteration)))
}

mx.save.model <- function(filename, symbol, arg.params, aux.params = NULL, inputs = NULL, texts = NULL) {
  described <- lapply(inputs, function(input) {
    if (!is.list(input)) input <- list(dim = input)
    list(input$dim, if (is.null(input$dtype)) "float32" else input$dtype, isTRUE(input$label))
  })
  invisible(.Call(C_model_save, path.expand(filename), symbol, join_params(arg.params, aux.params), described, texts))
}

mx.load.model <- function(filename, copy = FALSE) {
  file <- .Call(C_model_load, path.expand(filename), copy)
  model <- feed_forward(.Call(C_model_symbol, file), split_params(.Call(C_model_arrays, file)))
  texts <- matrix(.Call(C_model_texts, file), nrow = 2L)
  model$inputs <- .Call(C_model_inputs, file)
  model$texts <- structure(texts[2, ], names = texts[1, ])
  model
}

print.MXFeedForwardModel <- function(x, ...) {
  cat(sprintf("<MXFeedForwardModel %s, %d parameters>\n", paste(outputs(x$symbol), collapse = ", "),
              length(x$arg.params) + length(x$aux.params)))
  invisible(x)
}
