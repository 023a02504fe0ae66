# Symbols: graphs of operators that are composed before they run.

mx.symbol.Variable <- function(name, shape = NULL, dtype = NULL, init = NULL, lr_mult = NULL, wd_mult = NULL,
    attr = NULL) {
  given <- c(attr, shape = if (!is.null(shape)) shape_text(shape), dtype = dtype_number(dtype), init = init,
             lr_mult = lr_mult, wd_mult = wd_mult)
  own <- names(given) %in% c("shape", "dtype", "init", "lr_mult", "wd_mult")
  names(given)[own] <- sprintf("__%s__", names(given)[own])
  .Call(C_symbol_variable, name, texts(given))
}

# Dimensions of R as the library writes a shape.
shape_text <- function(dims) {
  sprintf("(%s%s)", paste(sprintf("%.0f", rev(dims)), collapse = ", "), if (length(dims) == 1L) "," else "")
}

# MXNet's files have dtypes of variables as numbers.
dtype_number <- function(dtype) {
  codes <- c(float32 = 0, float64 = 1, float16 = 2, uint8 = 3, int32 = 4, int8 = 5, int64 = 6, bool = 7,
             bfloat16 = 12)
  if (is.character(dtype)) codes[[dtype]] else dtype
}

# Attributes as texts with names.
texts <- function(attrs) {
  if (is.null(attrs)) return(NULL)
  vapply(attrs, function(value) if (is.character(value)) value else format(value, digits = 17), "")
}

mx.symbol.Group <- function(...) {
  given <- list(...)
  if (length(given) == 1L && !is.mx.symbol(given[[1]])) given <- given[[1]]
  .Call(C_symbol_group, given)
}

mx.symbol.load <- function(filename) .Call(C_symbol_load, path.expand(filename))

mx.symbol.load.json <- function(str) .Call(C_symbol_from_json, str)

mx.symbol.save <- function(symbol, filename) invisible(.Call(C_symbol_save, symbol, path.expand(filename)))

mx.symbol.infer.shape <- function(symbol, ...) {
  found <- .Call(C_symbol_infer_shapes, symbol, list(...))
  list(arg.shapes = found$arg, out.shapes = found$out, aux.shapes = found$aux, complete = found$complete)
}

mx.symbol.infer.type <- function(symbol, ...) {
  found <- .Call(C_symbol_infer_dtypes, symbol, list(...))
  list(arg.types = found$arg, out.types = found$out, aux.types = found$aux, complete = found$complete)
}

mx.apply <- function(x, ..., name = NULL) .Call(C_symbol_compose, x, name, list(...))

mx.symbol.attr <- function(symbol, key) .Call(C_symbol_attr, symbol, key)

mx.symbol.attributes <- function(symbol, recursive = FALSE) {
  found <- matrix(.Call(C_symbol_attrs, symbol, recursive), nrow = 3L)
  lapply(split(seq_len(ncol(found)), found[1, ]), function(at) structure(found[3, at], names = found[2, at]))
}

mx.symbol.set.attributes <- function(symbol, ...) .Call(C_symbol_with_attrs, symbol, texts(c(...)))

is.mx.symbol <- function(x) inherits(x, "MXSymbol")

arguments <- function(x) .Call(C_symbol_list, x, MXR_LIST_ARGUMENTS)

outputs <- function(x) .Call(C_symbol_list, x, MXR_LIST_OUTPUTS)

auxiliary.states <- function(x) .Call(C_symbol_list, x, MXR_LIST_AUXILIARY_STATES)

internals <- function(x) .Call(C_symbol_internals, x)

children <- function(x) .Call(C_symbol_children, x)

# All variables, in the order in which arrays are bound to them.
inputs_of <- function(symbol) .Call(C_symbol_list, symbol, MXR_LIST_INPUTS)

Ops.MXSymbol <- function(e1, e2) {
  if (missing(e2)) return(if (.Generic == "-") mx.symbol.negative(e1) else e1)
  .Call(C_symbol_arithmetic, .Generic, e1, e2)
}

`[[.MXSymbol` <- function(x, i) .Call(C_symbol_output, x, i)

`[.MXSymbol` <- function(x, i) .Call(C_symbol_output, x, i)

length.MXSymbol <- function(x) length(outputs(x))

names.MXSymbol <- function(x) outputs(x)

`$.MXSymbol` <- function(x, name) {
  switch(name,
    arguments = arguments(x),
    outputs = outputs(x),
    auxiliary.states = auxiliary.states(x),
    name = .Call(C_symbol_name, x),
    get.internals = function() internals(x),
    get.children = function() children(x),
    get.output = function(i) x[[i]],
    infer.shape = function(shapes) do.call(mx.symbol.infer.shape, c(list(x), shapes)),
    as.json = function() .Call(C_symbol_to_json, x),
    save = function(filename) mx.symbol.save(x, filename),
    apply = function(kwargs) do.call(mx.apply, c(list(x), kwargs)),
    debug.str = function() .Call(C_symbol_text, x),
    stop("a symbol has no '", name, "'", call. = FALSE))
}

.DollarNames.MXSymbol <- function(x, pattern = "") {
  all <- c("arguments", "outputs", "auxiliary.states", "name", "get.internals", "get.children", "get.output",
           "infer.shape", "as.json", "save", "apply", "debug.str")
  grep(pattern, all, value = TRUE)
}

format.MXSymbol <- function(x, ...) {
  name <- .Call(C_symbol_name, x)
  sprintf("<MXSymbol %s>", if (is.null(name)) paste(outputs(x), collapse = ", ") else name)
}

print.MXSymbol <- function(x, ...) {
  cat(format(x), "\n", sep = "")
  invisible(x)
}

close.MXSymbol <- function(con, ...) invisible(.Call(C_close, con))
