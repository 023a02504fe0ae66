# Every operator by its public functions, on arrays and on symbols, against the numbers that all languages share:
# `Rscript run.R REPOSITORY [OPERATOR]`. Ends with the line `N passed, N failed`.
library(mxr, warn.conflicts = FALSE)

HEAD <- c(0.5, -1, 1.5, 0.25, -0.75) # the gradient that every runner feeds to an output, over and over
PRECISION <- c(float32 = 1e-5, float16 = 4e-3, bfloat16 = 3e-2)
KINDS <- list(float = c("float64", "float32", "float16", "bfloat16"),
              int = c("int64", "int32", "int8", "uint8"), bool = "bool")
QUICK <- c("float32", "float64", "int32") # what runs without MXR_TEST_FULL=1
MODULES <- c("_contrib_" = "contrib.", "_linalg_" = "linalg.", "_sparse_" = "sparse.", "_image_" = "image.")

read <- function(...) {
  jsonlite::fromJSON(file.path(...), simplifyVector = TRUE, simplifyDataFrame = FALSE, simplifyMatrix = FALSE)
}

# The public function of an operator, found as MXNet's users find it.
public <- function(prefix, name) {
  end <- if (grepl("^_random_.*_like$", name)) substring(name, 2) else if (startsWith(name, "_")) {
    module <- MODULES[startsWith(name, names(MODULES))]
    if (length(module)) paste0(module, substring(name, nchar(names(module)) + 1)) else paste0("internal.", sub("^_+", "", name))
  } else name
  get(paste0(prefix, gsub("_", ".", end)), envir = asNamespace("mxr"))
}

# Numbers of a case; texts such as "nan" are numbers too, and JSON has no word for a number that is none.
numbers <- function(data) {
  values <- as.numeric(unlist(lapply(data, function(v) if (is.null(v)) NaN else v)))
  ifelse(is.na(values), NaN, values)
}

make <- function(tensor, dtype) {
  .array <- mx.nd.array(array(numbers(tensor$data), if (length(tensor$shape)) rev(unlist(tensor$shape)) else 1L),
                        dtype = if (is.null(tensor$dtype)) dtype else tensor$dtype)
  if (length(tensor$shape) == 0) dim(.array) <- integer(0)
  .array
}

head_of <- function(output, i) {
  n <- length(output)
  made <- mx.nd.array(array(HEAD[(i - 1 + seq_len(n) - 1) %% 5 + 1], if (length(dim(output))) dim(output) else 1L),
                      dtype = mx.nd.dtype(output))
  if (length(dim(output)) == 0) dim(made) <- integer(0)
  made
}

# Attributes as R has them: sizes in the order of R's dimensions, and NA for none.
attributes_of <- function(operator, attrs) {
  types <- vapply(operator$attrs, function(a) a$type, "")
  names(types) <- vapply(operator$attrs, function(a) a$name, "")
  lapply(structure(names(attrs), names = names(attrs)), function(name) {
    value <- attrs[[name]]
    if (is.null(value)) return(NA)
    if (is.list(value)) value <- vapply(value, function(v) if (is.null(v)) NA_real_ else as.numeric(v), 0)
    if (types[name] %in% c("shape", "optional ints") && name != "indices" && length(value) != 1) rev(value) else value
  })
}

call_symbol <- function(name, inputs, attrs) {
  names(inputs) <- sprintf("in%d", seq_along(inputs))
  symbol <- do.call(public("mx.symbol.", name), c(lapply(unname(names(inputs)), mx.symbol.Variable), attrs))
  do.call(mx.cached.op(symbol), inputs)
}

# Calls the operator; gives inputs, outputs, and which inputs have gradients.
call_case <- function(operator, case, dtype, symbolic) {
  inputs <- lapply(case$inputs, make, dtype)
  attrs <- attributes_of(operator, case$attrs)
  wants <- length(case$gradients) > 0
  variables <- if (wants) which(vapply(inputs, function(a) grepl("float", mx.nd.dtype(a)), NA)) else integer(0)
  for (i in variables) mx.nd.attach.grad(inputs[[i]])
  scope <- if (wants) mx.autograd.record else mx.autograd.pause
  found <- scope(if (symbolic) call_symbol(operator$name, inputs, attrs)
                 else do.call(public("mx.nd.", operator$name), c(inputs, attrs)), isTRUE(case$training))
  outputs <- if (is.mx.ndarray(found)) list(found) else found
  for (output in outputs) mx.nd.wait(output)
  if (wants) {
    heads <- Map(head_of, outputs, seq_along(outputs))
    mx.autograd.backward(outputs, heads, train.mode = isTRUE(case$training))
  }
  list(inputs = inputs, outputs = outputs, variables = variables)
}

# Integers wrap as they do in memory.
wrap <- function(values, dtype) {
  bits <- c(uint8 = 8, int8 = 8, int32 = 32)[dtype]
  if (is.na(bits)) return(values)
  values <- values %% 2^bits
  if (dtype == "uint8") values else ifelse(values >= 2^(bits - 1), values - 2^bits, values)
}

# How an array differs from what is expected, or NULL.
compare <- function(what, expected, got, precision, factor) {
  dims <- as.integer(rev(unlist(expected$shape)))
  if (!identical(dims, as.integer(dim(got)))) {
    return(sprintf("%s: expected dimensions %s, got %s", what, toString(dims), toString(dim(got))))
  }
  dtype <- mx.nd.dtype(got)
  want <- wrap(numbers(expected$data), dtype)
  have <- as.numeric(got)
  epsilon <- if (dtype == "float64") precision else if (dtype %in% names(PRECISION)) PRECISION[[dtype]] else 0
  scale <- max(0, abs(want[is.finite(want)]))
  close <- abs(have - want) <= factor * epsilon * (abs(want) + 0.2 * scale + 1e-3)
  fine <- (!is.na(close) & close) | (have == want) %in% TRUE | (is.nan(have) & is.nan(want))
  if (all(fine)) return(NULL)
  at <- which(!fine)[1]
  sprintf("%s: element %d: expected %g, got %g", what, at, want[at], have[at])
}

differences <- function(operator, case, dtype, symbolic) {
  ran <- call_case(operator, case, dtype, symbolic)
  precision <- if (identical(case$computed_in, "float32")) 1e-5 else 1e-10
  same <- function(what, expected, got) compare(what, expected, got, precision, case$tolerance)
  if (!is.null(case$outputs) && length(case$outputs) != length(ran$outputs)) {
    return(sprintf("expected %d outputs, got %d", length(case$outputs), length(ran$outputs)))
  }
  found <- Map(function(e, got) same("an output", e, got), case$outputs, ran$outputs[seq_along(case$outputs)])
  for (i in ran$variables) {
    found <- c(found, list(same(sprintf("gradient %d", i), case$gradients[[i]], mx.nd.grad(ran$inputs[[i]]))))
  }
  for (i in names(case$states)) {
    found <- c(found, list(same(sprintf("state %s", i), case$states[[i]], ran$inputs[[as.integer(i) + 1]])))
  }
  unlist(found)
}

# The dtypes that a case runs with.
dtypes_of <- function(operator, case) {
  if (!is.null(case$error)) return("float32")
  if (case$run == "as given") {
    of_input <- if (length(case$inputs)) case$inputs[[1]]$dtype
    return(c(case$attrs$dtype, of_input, "float32")[1])
  }
  all <- intersect(unlist(operator$dtypes), KINDS[[case$run]])
  if (Sys.getenv("MXR_TEST_FULL") == "1") return(all)
  if (any(all %in% QUICK)) intersect(all, QUICK)[1] else all[1]
}

# What is wrong with one way of running a case.
wrong <- function(operator, case, dtype, symbolic) {
  if (is.null(case$error)) {
    return(tryCatch(differences(operator, case, dtype, symbolic), error = conditionMessage))
  }
  tryCatch({
    call_case(operator, case, dtype, symbolic)
    sprintf("expected the error %s, got a result", case$error)
  }, mxr_error = function(e) {
    # Operators' functions know their arguments, which R itself checks.
    if (tolower(case$error) != gsub("_", "", e$code)) sprintf("expected the error %s, got %s", case$error, e$code)
  }, error = function(e) {
    if (!grepl("is missing, with no default", conditionMessage(e))) conditionMessage(e)
  })
}

# Why a case cannot be expressed, if so: an array too many is taken for the attribute that comes next.
quirk_of <- function(operator, case, quirks) {
  variadic <- any(vapply(operator$inputs, function(input) isTRUE(input$variadic), TRUE))
  beyond <- length(case$inputs) > length(operator$inputs) && !variadic && length(operator$attrs) > 0
  if (beyond && !is.null(case$error)) quirks[["an array too many"]]
}

check <- function(operator, quirks) {
  failures <- character(0)
  file <- file.path(root, "tests/conformance/cases", paste0(operator$name, ".json"))
  if (!file.exists(file)) return("has no cases")
  for (case in read(file)$cases) for (dtype in dtypes_of(operator, case)) for (symbolic in c(FALSE, TRUE)) {
    quirk <- quirk_of(operator, case, quirks)
    if (symbolic && !is.null(case$error)) next
    found <- wrong(operator, case, dtype, symbolic)
    where <- sprintf("'%s' %s%s", case$name, dtype, if (symbolic) " on symbols" else "")
    if (is.null(quirk) && length(found)) failures <- c(failures, paste0(where, ": ", found))
    if (!is.null(quirk) && !length(found)) failures <- c(failures, paste0(where, " passes, but quirks.json lists it"))
  }
  failures
}

arguments <- commandArgs(trailingOnly = TRUE)
root <- arguments[1]
quirks <- read(root, "bindings/r/conformance/quirks.json")
operators <- Filter(function(o) !isTRUE(o$internal), read(root, "schema/ops.json")$operators)
if (length(arguments) > 1) operators <- Filter(function(o) o$name == arguments[2], operators)
failed <- 0
for (operator in operators) {
  found <- check(operator, quirks)
  for (failure in found) cat("FAILED ", operator$name, ": ", failure, "\n", sep = "")
  failed <- failed + (length(found) > 0)
}
cat(length(operators) - failed, " passed, ", failed, " failed\n", sep = "")
