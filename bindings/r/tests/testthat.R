# Runs the tests; ends with the line `N passed, N failed[, N skipped]`.
library(testthat)
library(mxr)

found <- as.data.frame(test_dir("testthat", package = "mxr", reporter = "summary", stop_on_failure = FALSE))
failed <- found$failed > 0 | found$error
skipped <- !failed & found$skipped
cat(sprintf("\n%d passed, %d failed, %d skipped\n", sum(!failed & !skipped), sum(failed), sum(skipped)))
if (any(failed)) quit(status = 1)
