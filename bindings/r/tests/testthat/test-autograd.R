# Expected gradients follow from calculus.

test_that("backward gives the gradient of what was recorded", {
  x <- mx.nd.array(c(1, 2, 3))
  mx.nd.attach.grad(x)
  loss <- mx.autograd.record({
    y <- x * x * x
    sum(y)
  })
  mx.autograd.backward(loss)
  expect_equal(as.vector(mx.nd.grad(x)), 3 * c(1, 4, 9))
})

test_that("assignments in the expression happen where it is written", {
  x <- mx.nd.array(2)
  mx.nd.attach.grad(x)
  mx.autograd.record({
    expect_true(mx.autograd.is.recording())
    expect_true(mx.autograd.is.training())
    y <- exp(x)
  })
  expect_false(mx.autograd.is.recording())
  mx.autograd.backward(y)
  expect_equal(as.vector(mx.nd.grad(x)), exp(2), tolerance = 1e-6)
})

test_that("what fails in the expression ends the recording", {
  expect_error(mx.autograd.record(stop("no")), "no")
  expect_false(mx.autograd.is.recording())
})

test_that("what is paused has no gradient", {
  x <- mx.nd.array(3)
  mx.nd.attach.grad(x)
  loss <- mx.autograd.record(x * mx.autograd.pause(x * 1))
  mx.autograd.backward(loss)
  expect_equal(as.vector(mx.nd.grad(x)), 3)
})

test_that("gradients of gradients are recorded on demand", {
  x <- mx.nd.array(2)
  mx.nd.attach.grad(x)
  second <- mx.autograd.record({
    first <- mx.autograd.grad(x^4, x, create.graph = TRUE)
    sum(first)
  })
  mx.autograd.backward(second)
  expect_equal(as.vector(mx.nd.grad(x)), 12 * 4, tolerance = 1e-6)
})

test_that("gradients are added on demand", {
  x <- mx.nd.array(1)
  mx.nd.attach.grad(x, "add")
  for (i in 1:3) mx.autograd.backward(mx.autograd.record(x * 5))
  expect_equal(as.vector(mx.nd.grad(x)), 15)
})

test_that("dropout drops in training only", {
  x <- mx.nd.ones(1000)
  expect_equal(as.vector(mx.nd.Dropout(x, p = 0.5)), rep(1, 1000))
  dropped <- mx.autograd.train.mode(mx.nd.Dropout(x, p = 0.5))
  expect_gt(sum(as.vector(dropped) == 0), 300)
})

test_that("a function of one's own has its own gradient", {
  double <- mx.autograd.Function(function(x) x * 2, function(grads, inputs, outputs) grads[[1]] * 10)
  x <- mx.nd.array(c(1, 2))
  mx.nd.attach.grad(x)
  y <- mx.autograd.record(double(x))
  expect_equal(as.vector(y), c(2, 4))
  mx.autograd.backward(y)
  expect_equal(as.vector(mx.nd.grad(x)), c(10, 10))
})

test_that("a failure of one's own gradient comes back as it was raised", {
  bad <- mx.autograd.Function(function(x) x * 2, function(grads, inputs, outputs) {
    stop(structure(class = c("mine", "error", "condition"), list(message = "mine", call = NULL)))
  })
  x <- mx.nd.array(1)
  mx.nd.attach.grad(x)
  y <- mx.autograd.record(bad(x))
  expect_error(mx.autograd.backward(y), class = "mine")
})

test_that("a value that was overwritten since is an error", {
  x <- mx.nd.array(c(1, 2))
  mx.nd.attach.grad(x)
  y <- mx.autograd.record({
    z <- x * 2
    z * z
  })
  z[] <- 0
  expect_error(mx.autograd.backward(y), class = "mxr_error_autograd")
})

test_that("what was recorded becomes a symbol", {
  x <- mx.nd.array(c(1, 2))
  mx.nd.attach.grad(x)
  y <- mx.autograd.record(exp(x) * 2)
  symbol <- mx.autograd.get.symbol(y)
  expect_equal(arguments(symbol), "var0")
  expect_equal(as.vector(mx.symbol.run(symbol, var0 = x)), 2 * exp(c(1, 2)), tolerance = 1e-6)
})
