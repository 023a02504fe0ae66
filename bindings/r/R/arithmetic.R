# Arithmetic, comparison and R's mathematical functions of arrays. Numbers of R become arrays where they are more than
# one.

# A value of R as an array of the same dtype as another.
like <- function(value, other) {
  if (is.mx.ndarray(value)) return(value)
  mx.nd.array(value, ctx(other), mx.nd.dtype(other))
}

unary <- function(sign, x) {
  switch(sign,
    "-" = mx.nd.negative(x),
    "+" = x,
    "!" = mx.nd.logical.not(x))
}

# Stands for the second operand where there is one only.
absent <- quote(absent)

# What is no matter of two arrays or of an array and one number; the C code calls it.
other_arithmetic <- function(sign, x, y) {
  if (identical(y, absent)) return(unary(sign, x))
  if (sign == "%/%") return(mx.nd.floor(x / y))
  if (is.mx.ndarray(x)) .Call(C_arithmetic, sign, x, like(y, x)) else .Call(C_arithmetic, sign, like(x, y), y)
}

# A method for each sign, and none for the group: R finds it with half the look-ups, which cost more than the sum of two
# small arrays.
`+.MXNDArray` <- function(e1, e2 = absent) .Call(C_arithmetic, "+", e1, e2)
`-.MXNDArray` <- function(e1, e2 = absent) .Call(C_arithmetic, "-", e1, e2)
`!.MXNDArray` <- function(x) unary("!", x)
`*.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "*", e1, e2)
`/.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "/", e1, e2)
`^.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "^", e1, e2)
`%%.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "%%", e1, e2)
`%/%.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "%/%", e1, e2)
`==.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "==", e1, e2)
`!=.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "!=", e1, e2)
`<.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "<", e1, e2)
`<=.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "<=", e1, e2)
`>.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, ">", e1, e2)
`>=.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, ">=", e1, e2)
`&.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "&", e1, e2)
`|.MXNDArray` <- function(e1, e2) .Call(C_arithmetic, "|", e1, e2)

# Operators by R's names; what is not here has the name that R has.
math <- c(ceiling = "ceil", acos = "arccos", acosh = "arccosh", asin = "arcsin", asinh = "arcsinh",
          atan = "arctan", atanh = "arctanh", lgamma = "gammaln", cumsum = "internal.np.cumsum",
          round = "rint")
same <- c("abs", "sign", "sqrt", "floor", "trunc", "exp", "expm1", "log1p", "log2", "log10", "cos", "sin", "tan",
          "cosh", "sinh", "tanh", "gamma")

Math.MXNDArray <- function(x, ...) {
  if (.Generic == "log") return(if (...length() > 0) mx.nd.log(x) / log(..1) else mx.nd.log(x))
  if (.Generic == "round" && ...length() > 0 && ..1 != 0) stop("arrays round to whole numbers only", call. = FALSE)
  name <- if (.Generic %in% same) .Generic else math[.Generic]
  if (is.na(name)) stop("arrays know no '", .Generic, "'", call. = FALSE)
  get(paste0("mx.nd.", name), envir = topenv())(x)
}

Summary.MXNDArray <- function(..., na.rm = FALSE) {
  x <- ..1
  if (...length() > 1) stop("'", .Generic, "' takes one array", call. = FALSE)
  switch(.Generic,
    sum = if (na.rm) mx.nd.nansum(x) else mx.nd.sum(x),
    prod = if (na.rm) mx.nd.nanprod(x) else mx.nd.prod(x),
    max = mx.nd.max(x),
    min = mx.nd.min(x),
    range = mx.nd.concat(mx.nd.min(x), mx.nd.max(x), dim = 0),
    any = mx.nd.max(x != 0),
    all = mx.nd.min(x != 0))
}

mean.MXNDArray <- function(x, ...) mx.nd.mean(x)

# a %*% b as R means it: the last axis of the library is R's first dimension.
matrix_product <- function(x, y) {
  if (is.mx.ndarray(x)) y <- like(y, x) else x <- like(x, y)
  if (length(dim(x)) != 2L || length(dim(y)) > 2L) stop("%*% takes matrices", call. = FALSE)
  if (length(dim(y)) == 1L) dim(y) <- c(dim(y), 1L)
  mx.nd.dot(y, x)
}

# R gives `%*%` methods for such classes from 4.3 on; before that the package has a function of this name.
if (getRversion() < "4.3.0") {
  `%*%` <- function(x, y) {
    if (is.mx.ndarray(x) || is.mx.ndarray(y)) matrix_product(x, y) else base::`%*%`(x, y)
  }
} else {
  matrixOps.MXNDArray <- function(x, y) {
    if (.Generic != "%*%") stop("arrays know no '", .Generic, "'", call. = FALSE)
    matrix_product(x, y)
  }
}
