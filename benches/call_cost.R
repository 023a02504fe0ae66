# What one call of a small operator costs from R: a + b on 4 elements, as call_cost.c measures it from C.
# `Rscript call_cost.R [N]`, with the package mxr installed.
suppressPackageStartupMessages(library(mxr))

n <- as.integer(c(commandArgs(trailingOnly = TRUE), 300000)[1]) %/% 3L

# The best of some rounds, in nanoseconds of this process, whose clock is too coarse for shorter ones.
cost <- function(call, each = n) {
  rounds <- vapply(1:5, function(i) {
    start <- sum(proc.time()[1:2])
    call(each)
    (sum(proc.time()[1:2]) - start) / each * 1e9
  }, 0)
  min(rounds)
}

a <- mx.nd.array(c(1, 2, 3, 4))
b <- mx.nd.array(c(1, 2, 3, 4))
sign <- cost(function(n) for (i in seq_len(n)) a + b)
named <- cost(function(n) for (i in seq_len(n)) mx.nd.broadcast.add(a, b))
mx.nd.attach.grad(a)
recorded <- cost(function(n) mx.autograd.record(for (i in seq_len(n)) a + b))
cat(sprintf(paste0("{\"name\": \"a + b, 4 elements, R\", \"ns\": %.0f, \"recorded_ns\": %.0f, ",
                   "\"function_ns\": %.0f}\n"), sign, recorded, named))
