# What takes other processes and other libraries than the package's own: `Rscript run.R INCLUDE`, where INCLUDE is the
# folder of mxr.h. The package is in R_LIBS and MXR_LIBRARY is not set. Ends with the line `N passed, N failed`.
include <- commandArgs(trailingOnly = TRUE)[1]
bundled <- file.path(find.package("mxr"), "lib", "libmxr.so")
counts <- c(passed = 0, failed = 0)

test <- function(what, holds) {
  ok <- tryCatch(isTRUE(holds), error = function(e) {
    cat(conditionMessage(e), "\n")
    FALSE
  })
  if (!ok) cat("FAILED: ", what, "\n", sep = "")
  counts[if (ok) "passed" else "failed"] <<- counts[if (ok) "passed" else "failed"] + 1
}

# What a program of R writes, both streams, with settings of its environment.
run <- function(program, env = character(0)) {
  file <- tempfile(fileext = ".R")
  writeLines(program, file)
  paste(suppressWarnings(system2(file.path(R.home("bin"), "Rscript"), file, stdout = TRUE, stderr = TRUE, env = env)),
        collapse = "\n")
}

# A library of some lines of C.
compiled <- function(source) {
  file <- tempfile(fileext = ".c")
  library <- sub("c$", "so", file)
  writeLines(source, file)
  stopifnot(system2("cc", c("-shared", "-fPIC", paste0("-I", include), file, "-o", library)) == 0)
  library
}

loaded <- "library(mxr, warn.conflicts = FALSE); cat(mx.info()$library)"
has <- function(text, part) grepl(part, text, fixed = TRUE)

test("the package's own library is used where there is no other", normalizePath(run(loaded)) == normalizePath(bundled))

test("MXR_LIBRARY comes first", {
  copy <- file.path(tempdir(), "libother.so")
  file.copy(bundled, copy)
  has(run(loaded, paste0("MXR_LIBRARY=", copy)), "libother.so")
})

test("a library that the process has already is used", {
  copy <- file.path(tempdir(), "libmxr.so.0")
  file.copy(bundled, copy)
  has(run(c(sprintf('dyn.load("%s")', copy), loaded)), copy)
})

test("a library of another ABI version is refused by its file's name", {
  other <- compiled("#include <stdint.h>\nuint32_t mxr_abi_version(void) { return 999; }")
  text <- run(loaded, paste0("MXR_LIBRARY=", other))
  has(text, basename(other)) && has(text, "ABI version 999, and this mxr needs")
})

test("an older library is refused by the function that it lacks", {
  other <- compiled("#include \"mxr.h\"\nuint32_t mxr_abi_version(void) { return MXR_ABI_VERSION; }")
  has(run(loaded, paste0("MXR_LIBRARY=", other)), "it lacks the function mxr_")
})

test("what is no libmxr, and a file that there is not, are refused by name", {
  other <- compiled("int nothing;")
  has(run(loaded, paste0("MXR_LIBRARY=", other)), "is no libmxr") &&
    has(run(loaded, "MXR_LIBRARY=/nowhere/libmxr.so"), "MXR_LIBRARY names /nowhere/libmxr.so")
})

# The lines of a file, once one of them begins with a text.
lines_with <- function(file, start) {
  for (i in 1:1200) {
    lines <- if (file.exists(file)) readLines(file, warn = FALSE) else character(0)
    if (any(startsWith(lines, start))) break
    Sys.sleep(0.1)
  }
  lines
}

test("a wait ends with an interrupt, and the engine goes on", {
  out <- tempfile()
  program <- tempfile(fileext = ".R")
  writeLines(c("library(mxr, warn.conflicts = FALSE)", "x <- mx.nd.ones(c(1000, 1000))",
               "for (i in 1:100) x <- mx.nd.dot(x, x) * 0", "cat('process', Sys.getpid(), '\n')",
               "tryCatch(mx.wait.all(), interrupt = function(e) cat('interrupted', mx.info()$pending > 0, '\n'))",
               "cat(as.vector(mx.nd.array(41) + 1), '\n')", "quit(status = 0)"), program)
  system2(file.path(R.home("bin"), "Rscript"), program, stdout = out, stderr = out, wait = FALSE)
  lines <- lines_with(out, "process")
  tools::pskill(as.integer(strsplit(lines[1], " ")[[1]][2]), tools::SIGINT)
  lines <- lines_with(out, "42")
  any(startsWith(lines, "interrupted TRUE")) && any(startsWith(lines, "42"))
})

test("a forked process computes with arrays of its parent's", {
  has(run(c("library(mxr, warn.conflicts = FALSE)", "x <- mx.nd.array(1:3)", "mx.wait.all()",
            "job <- parallel::mcparallel(as.vector(x * 2))", "cat(parallel::mccollect(job)[[1]])")), "2 4 6")
})

test("the process ends well with work under way", {
  text <- run(c("library(mxr, warn.conflicts = FALSE)", "x <- mx.nd.ones(c(300, 300))", "for (i in 1:50) x <- mx.nd.dot(x, x) * 0",
                "cat('end')"))
  text == "end"
})

test("the example of the README runs", {
  readme <- readLines(file.path(include, "../bindings/r/README.md"))
  starts <- which(readme == "```r")
  ends <- vapply(starts, function(at) which(readme == "```" & seq_along(readme) > at)[1], 0L)
  code <- unlist(Map(function(from, to) readme[(from + 1):(to - 1)], starts, ends))
  has(run(c(code, "cat('\\nthe end')")), "the end")
})

cat(counts[["passed"]], " passed, ", counts[["failed"]], " failed\n", sep = "")
quit(status = counts[["failed"]] > 0)
