mlp <- function() {
  data <- mx.symbol.Variable("data")
  net <- mx.symbol.FullyConnected(data, num.hidden = 4, name = "fc1")
  net <- mx.symbol.Activation(net, act_type = "relu", name = "relu1")
  mx.symbol.SoftmaxOutput(mx.symbol.FullyConnected(net, num_hidden = 2, name = "fc2"), name = "softmax")
}

test_that("a symbol lists its arguments, outputs and states as MXNet does", {
  net <- mlp()
  expect_equal(arguments(net),
               c("data", "fc1_weight", "fc1_bias", "fc2_weight", "fc2_bias", "softmax_label"))
  expect_equal(outputs(net), "softmax_output")
  normed <- mx.symbol.BatchNorm(mx.symbol.Variable("x"), name = "bn")
  expect_equal(auxiliary.states(normed), c("bn_moving_mean", "bn_moving_var"))
  expect_equal(net$arguments, arguments(net))
})

test_that("shapes are inferred in R's order of dimensions", {
  found <- mx.symbol.infer.shape(mlp(), data = c(10, 32))
  expect_equal(found$arg.shapes$fc1_weight, c(10, 4))
  expect_equal(found$out.shapes$softmax_output, c(2, 32))
  expect_true(found$complete)
  expect_false(mx.symbol.infer.shape(mx.symbol.Variable("a") + mx.symbol.Variable("b"))$complete)
})

test_that("dtypes are inferred", {
  found <- mx.symbol.infer.type(mlp(), data = "float64")
  expect_equal(found$arg.types$fc1_weight, "float64")
})

test_that("symbols without a name are numbered", {
  a <- mx.symbol.exp(mx.symbol.Variable("a"))
  b <- mx.symbol.exp(mx.symbol.Variable("a"))
  expect_match(a$name, "^exp[0-9]+$")
  expect_false(a$name == b$name)
})

test_that("arithmetic composes", {
  a <- mx.symbol.Variable("a")
  b <- mx.symbol.Variable("b")
  x <- mx.nd.array(c(1, 2, 3))
  y <- mx.nd.array(c(4, 5, 6))
  run <- function(symbol) as.vector(mx.symbol.run(symbol, a = x, b = y))
  expect_equal(run(a + b * 2), c(9, 12, 15))
  expect_equal(run(10 - a), c(9, 8, 7))
  expect_equal(run(a / b), c(1, 2, 3) / c(4, 5, 6), tolerance = 1e-6)
  expect_equal(run(-(a^2)), -c(1, 4, 9))
  expect_equal(run(a > 1.5), c(0, 1, 1))
  expect_equal(run(2 > a), c(1, 0, 0))
})

test_that("a symbol is the same after JSON and after a file", {
  net <- mlp()
  json <- net$as.json()
  expect_equal(mx.symbol.load.json(json)$as.json(), json)
  file <- tempfile()
  mx.symbol.save(net, file)
  expect_equal(mx.symbol.load(file)$as.json(), json)
})

test_that("inner outputs, children and single outputs are symbols", {
  net <- mlp()
  inner <- internals(net)
  expect_true("relu1_output" %in% outputs(inner))
  expect_equal(outputs(inner[["relu1_output"]]), "relu1_output")
  expect_equal(outputs(children(net)), c("fc2_output", "softmax_label"))
  pair <- mx.symbol.Group(mx.symbol.Variable("a"), mx.symbol.Variable("b"))
  expect_equal(length(pair), 2)
  expect_equal(outputs(pair[[2]]), "b")
})

test_that("variables are replaced by symbols", {
  net <- mx.apply(mx.symbol.exp(mx.symbol.Variable("v"), name = "e"), v = mx.symbol.Variable("y") * 2)
  expect_equal(arguments(net), "y")
})

test_that("attributes of users stay with their symbols", {
  v <- mx.symbol.Variable("v", shape = c(3, 2), lr_mult = 0.5)
  expect_equal(mx.symbol.attr(v, "__shape__"), "(2, 3)")
  expect_equal(as.numeric(mx.symbol.attr(v, "lr_mult")), 0.5)
  s <- mx.symbol.exp(v, attr = list(`__note__` = "mine"))
  expect_equal(mx.symbol.attr(s, "__note__"), "mine")
  expect_equal(mx.symbol.attr(mx.symbol.set.attributes(s, `__other__` = "too"), "__other__"), "too")
  expect_equal(unname(mx.symbol.attributes(s)[[1]]["__note__"]), "mine")
})

test_that("a loop over rows is an operator with gradients", {
  data <- mx.symbol.Variable("data")
  start <- mx.symbol.Variable("start")
  found <- mx.symbol.foreach(function(row, state) {
    sum <- row + state
    list(sum * 2, sum)
  }, data, start)
  both <- mx.symbol.Group(found[[1]], found[[2]])
  x <- mx.nd.array(matrix(1:6, 2))
  ran <- mx.symbol.run(both, data = x, start = mx.nd.zeros(2))
  expect_equal(as.array(ran[[1]]), 2 * matrix(c(1, 2, 4, 6, 9, 12), 2))
  expect_equal(as.vector(ran[[2]]), c(9, 12))
})

test_that("a loop ends when its condition does, and a branch is chosen", {
  i <- mx.symbol.Variable("i")
  found <- mx.symbol.while.loop(function(i) i < 4, function(i) list(i * i, i + 1), i, max.iterations = 6)
  ran <- mx.symbol.run(mx.symbol.Group(found[[1]], found[[2]]), i = mx.nd.array(1))
  expect_equal(as.vector(ran[[1]]), c(1, 4, 9, 0, 0, 0))
  expect_equal(as.vector(ran[[2]]), 4)
  a <- mx.symbol.Variable("a")
  chosen <- mx.symbol.cond(a > 0, function() a * 10, function() a - 10)
  expect_equal(as.vector(mx.symbol.run(chosen, a = mx.nd.array(2))), 20)
  expect_equal(as.vector(mx.symbol.run(chosen, a = mx.nd.array(-2))), -12)
})
