test_that("an optimizer changes weights as its formula says", {
  w <- mx.nd.array(c(1, 2))
  g <- mx.nd.array(c(10, -10))
  update <- mx.opt.get.updater(mx.opt.sgd(learning.rate = 0.1), list(w = w))
  found <- update(list(w = w), list(w = g))
  expect_equal(as.vector(found$w), c(0, 3), tolerance = 1e-6)
})

test_that("momentum is kept, saved and restored", {
  step <- function(update, w) update(list(w), list(mx.nd.array(1)))
  sgd <- function() mx.opt.create("sgd", learning_rate = 0.1, momentum = 0.5)
  w <- mx.nd.array(0)
  update <- mx.opt.get.updater(sgd(), list(w))
  step(update, w)
  states <- mx.opt.states(update)
  step(update, w)
  expect_equal(as.vector(w), -0.1 - 0.15, tolerance = 1e-6)
  v <- mx.nd.array(-0.1)
  again <- mx.opt.get.updater(sgd(), list(v))
  mx.opt.set.states(again, states)
  step(again, v)
  expect_identical(as.vector(v), as.vector(w))
})

test_that("a schedule says the learning rate", {
  schedule <- mx.lr_scheduler.FactorScheduler(step = 2, factor = 0.5, base.lr = 1)
  expect_equal(mx.lr_scheduler.value(schedule, 1), 1)
  expect_equal(mx.lr_scheduler.value(schedule, 3), 0.5)
  expect_equal(mx.opt.learning.rate(mx.opt.sgd(lr_scheduler = schedule)), 1)
})

test_that("factors by name slow single parameters", {
  opt <- mx.opt.sgd(learning.rate = 1)
  w <- list(a_weight = mx.nd.array(0), b_weight = mx.nd.array(0))
  update <- mx.opt.get.updater(opt, w)
  mx.opt.set.lr.mult(opt, c(b_weight = 0.1))
  update(w, list(mx.nd.array(1), mx.nd.array(1)))
  expect_equal(c(as.vector(w$a_weight), as.vector(w$b_weight)), c(-1, -0.1), tolerance = 1e-6)
  expect_equal(mx.opt.num.update(opt), 1)
})

test_that("initializers know parameters by their names", {
  made <- mx.init.create(mx.init.Xavier(), list(fc_weight = c(30, 20), fc_bias = 20, bn_gamma = 5, other = 3))
  expect_equal(names(made), c("fc_weight", "fc_bias", "bn_gamma"))
  expect_equal(dim(made$fc_weight), c(30, 20))
  expect_gt(stats::sd(as.vector(made$fc_weight)), 0.05)
  expect_equal(as.vector(made$fc_bias), rep(0, 20))
  expect_equal(as.vector(made$bn_gamma), rep(1, 5))
})

test_that("MXNet's small names of initializers are there", {
  w <- mx.init.uniform(0.25)("w_weight", c(50, 50))
  expect_lte(max(abs(as.vector(w))), 0.25)
  expect_equal(stats::sd(as.vector(mx.init.normal(2)("w_weight", c(100, 100)))), 2, tolerance = 0.1)
  expect_equal(as.vector(mx.init.fill(mx.init.Constant(value = 3), mx.nd.zeros(2))), c(3, 3))
})

test_that("a line is found by training", {
  mx.set.seed(1)
  x <- mx.rnorm(c(3, 100))
  y <- mx.nd.FullyConnected(x, mx.nd.array(matrix(c(2, -1, 0.5), 3)), num_hidden = 1, no_bias = TRUE)
  w <- list(w_weight = mx.rnorm(c(3, 1)))
  mx.nd.attach.grad(w$w_weight)
  update <- mx.opt.get.updater(mx.opt.adam(learning.rate = 0.1), w)
  for (step in 1:200) {
    loss <- mx.autograd.record({
      out <- mx.nd.FullyConnected(x, w$w_weight, num_hidden = 1, no_bias = TRUE)
      mean((out - y)^2)
    })
    mx.autograd.backward(loss)
    update(w, list(mx.nd.grad(w$w_weight)))
  }
  expect_equal(as.vector(w$w_weight), c(2, -1, 0.5), tolerance = 0.02)
})
