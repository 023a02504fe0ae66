line <- function() {
  mx.symbol.LinearRegressionOutput(
    mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 1, name = "fc"), name = "out")
}

test_that("an executor computes outputs and gradients", {
  exec <- mx.simple.bind(line(), grad.req = "write", data = c(2, 3), out_label = c(1, 3))
  x <- matrix(c(1, 2, 3, 4, 5, 6), 2)
  mx.exec.update.arg.arrays(exec, list(data = x, fc_weight = matrix(c(1, -1), 2), fc_bias = 0.5,
                                       out_label = matrix(0, 1, 3)), match.name = TRUE)
  mx.exec.forward(exec, is.train = TRUE)
  expect_equal(as.vector(exec$outputs$out_output), c(-0.5, -0.5, -0.5))
  mx.exec.backward(exec)
  expect_equal(as.vector(exec$grad.arrays$fc_weight), c(-0.5 * 9, -0.5 * 12), tolerance = 1e-6)
  expect_equal(as.vector(exec$ref.grad.arrays$fc_bias), -1.5, tolerance = 1e-6)
})

test_that("gradients are null where nobody wants them", {
  exec <- mx.simple.bind(line(), grad.req = "write", fixed.param = c("data", "fc_bias"), data = c(2, 3))
  expect_null(exec$grad.arrays$data)
  expect_null(exec$grad.arrays$fc_bias)
  expect_equal(dim(exec$grad.arrays$fc_weight), c(2, 1))
})

test_that("an executor is bound to arrays that are there", {
  a <- mx.symbol.Variable("a")
  b <- mx.symbol.Variable("b")
  x <- mx.nd.array(c(2, 3))
  y <- mx.nd.array(c(5, 7))
  gx <- mx.nd.zeros(2)
  exec <- mx.executor.bind(a * b, list(a = x, b = y), list(a = gx))
  mx.exec.forward(exec, is.train = TRUE)
  mx.exec.backward(exec, mx.nd.ones(2))
  expect_equal(as.vector(exec$outputs[[1]]), c(10, 21))
  expect_equal(as.vector(gx), c(5, 7))
  expect_error(mx.executor.bind(a * b, list(a = x)), "no array is given for b")
})

test_that("an executor of another batch shares its parameters", {
  exec <- mx.simple.bind(line(), data = c(2, 3))
  exec$ref.arg.arrays$fc_weight[] <- 2
  small <- mx.exec.reshape(exec, data = c(2, 1))
  expect_equal(dim(small$arg.arrays$data), c(2, 1))
  expect_equal(as.vector(small$arg.arrays$fc_weight), c(2, 2))
})

test_that("a monitor sees every output, and its failure is forward's", {
  exec <- mx.simple.bind(line(), data = c(2, 3))
  seen <- character(0)
  mx.exec.set.monitor(exec, function(name, array) seen <<- c(seen, name))
  mx.exec.forward(exec, is.train = FALSE)
  expect_true("fc_output" %in% seen)
  mx.exec.set.monitor(exec, function(name, array) stop("seen enough"))
  expect_error(mx.exec.forward(exec, is.train = FALSE), "seen enough")
  mx.exec.set.monitor(exec, NULL)
  mx.exec.forward(exec, is.train = FALSE)
})

test_that("a cached operator takes arrays by order and by name, and is recorded", {
  f <- mx.cached.op(mx.symbol.Variable("a") * mx.symbol.Variable("b"))
  x <- mx.nd.array(c(2, 3))
  y <- mx.nd.array(c(5, 7))
  expect_equal(as.vector(f(x, y)), c(10, 21))
  mx.nd.attach.grad(x)
  mx.autograd.backward(mx.autograd.record(f(b = y, a = x)))
  expect_equal(as.vector(mx.nd.grad(x)), c(5, 7))
  expect_error(f(a = x), "no array is given for b")
})

test_that("a plan says what it takes without running", {
  plan <- mx.plan(line(), data = c(20, 64), grad = TRUE)
  report <- summary(plan)
  expect_gt(report$peak_bytes, 0)
  expect_equal(report$parameter_bytes >= 2 * 4 * 21, TRUE)
  expect_output(print(plan), "FullyConnected")
  exec <- mx.simple.bind(line(), data = c(20, 64))
  expect_output(print(mx.exec.plan(exec)), "FullyConnected")
  passes <- mx.plan.passes(mx.plan(line(), data = c(20, 64), plan = list(passes = TRUE)))
  expect_gt(length(passes), 1)
  expect_match(passes[[1]]$dot, "digraph")
})

test_that("an unknown dimension is an error that says which", {
  expect_error(mx.simple.bind(line()), class = "mxr_error")
})
