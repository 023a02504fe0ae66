# Two classes of points, on both sides of a line; three numbers each.
points <- function(n = 200) {
  set.seed(3)
  x <- matrix(stats::rnorm(3 * n), 3)
  list(x = x, y = as.numeric(x[1, ] + 2 * x[2, ] - x[3, ] > 0))
}

test_that("metrics are those of their definitions", {
  label <- mx.nd.array(c(0, 1, 1))
  pred <- mx.nd.array(matrix(c(0.8, 0.2, 0.4, 0.6, 0.9, 0.1), 2))
  acc <- mx.metric.update(mx.metric.accuracy(), label, pred)
  expect_equal(mx.metric.get(acc), c(accuracy = 2 / 3))
  ce <- mx.metric.update(mx.metric.create("ce"), label, pred)
  expect_equal(mx.metric.get(ce)[["cross-entropy"]], -mean(log(c(0.8, 0.6, 0.1))), tolerance = 1e-6)
  rmse <- mx.metric.update(mx.metric.rmse(), mx.nd.array(c(1, 2)), mx.nd.array(c(2, 4)))
  expect_equal(mx.metric.get(rmse)[["rmse"]], sqrt(2.5), tolerance = 1e-6)
  mx.metric.reset(acc)
  expect_true(is.nan(mx.metric.get(acc)))
})

test_that("a metric of one's own is a function, and metrics are put together", {
  own <- mx.metric.custom("mine", function(label, pred) sum(as.array(label) - as.array(pred)))
  mx.metric.update(own, mx.nd.array(c(5, 1)), mx.nd.array(c(1, 1)))
  expect_equal(mx.metric.get(own), c(mine = 4))
  both <- mx.metric.composite("mae", mx.metric.mse)
  mx.metric.update(both, mx.nd.array(c(1, 2)), mx.nd.array(c(2, 4)))
  expect_equal(mx.metric.get(both), c(mae = 1.5, mse = 2.5), tolerance = 1e-6)
})

test_that("an iterator gives batches in order and fills up the last one", {
  iter <- mx.io.arrayiter(matrix(1:10, 2), 1:5, batch.size = 2)
  expect_equal(iter$provide.data$data$dim, c(2, 2))
  seen <- list()
  pads <- numeric(0)
  while (iter$iter.next()) {
    seen[[length(seen) + 1]] <- as.vector(iter$value()$label)
    pads <- c(pads, iter$num.pad())
  }
  expect_equal(seen, list(c(1, 2), c(3, 4), c(5, 1)))
  expect_equal(pads, c(0, 0, 1))
  iter$reset()
  expect_true(iter$iter.next())
  expect_equal(as.array(iter$value()$data), matrix(1:4, 2))
  expect_equal(iter$index(), c(1, 2))
})

test_that("a shuffled iterator gives each sample once, by the seed's order", {
  order <- function() {
    iter <- mx.io.NDArrayIter(1:8, batch_size = 4, shuffle = TRUE, seed = 5)
    c(if (iter$iter.next()) as.vector(iter$value()$data), if (iter$iter.next()) as.vector(iter$value()$data))
  }
  expect_equal(sort(order()), 1:8)
  expect_identical(order(), order())
})

test_that("a file of numbers is an iterator", {
  file <- tempfile()
  utils::write.table(matrix(1:6, 3, byrow = TRUE), file, sep = ",", row.names = FALSE, col.names = FALSE)
  iter <- mx.io.CSVIter(data_csv = file, data_shape = 2, batch_size = 3)
  iter$iter.next()
  expect_equal(as.array(iter$value()$data), matrix(1:6, 2))
  resized <- mx.io.ResizeIter(iter, size = 2)
  expect_true(resized$iter.next() && resized$iter.next() && !resized$iter.next())
})

test_that("a store sums what devices push, and updates by an optimizer or a function", {
  kv <- mx.kv.create("local")
  kv$init("w", mx.nd.array(c(1, 2)))
  out <- mx.nd.zeros(2)
  kv$push("w", list(mx.nd.ones(2), mx.nd.ones(2)))
  kv$pull("w", out)
  expect_equal(as.vector(out), c(2, 2))
  kv$set.optimizer(mx.opt.sgd(learning.rate = 0.5))
  kv$push("w", mx.nd.ones(2))
  kv$pull("w", out)
  expect_equal(as.vector(out), c(1.5, 1.5))
  kv$set.updater(function(key, pushed, stored) stored[] <- as.vector(stored) + 10 * as.vector(pushed))
  kv$push("w", mx.nd.ones(2))
  kv$pull("w", out)
  expect_equal(as.vector(out), c(11.5, 11.5))
  expect_equal(kv$type, "local")
  expect_error(kv$pull("v", out), class = "mxr_error")
})

test_that("FeedForward learns, in either layout, and predicts", {
  p <- points()
  net <- mx.symbol.SoftmaxOutput(mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 2), name = "sm")
  mx.set.seed(1)
  output <- capture.output({
    model <- mx.model.FeedForward.create(net, X = t(p$x), y = p$y, num.round = 15, array.batch.size = 20,
                                         learning.rate = 0.3, momentum = 0.9, eval.metric = mx.metric.accuracy,
                                         eval.data = list(data = p$x, label = p$y), initializer = mx.init.Xavier())
  })
  expect_match(output[1], "\\[1\\] Train-accuracy=")
  expect_match(output[2], "\\[1\\] Validation-accuracy=")
  scores <- predict(model, t(p$x))
  expect_equal(dim(scores), c(2, 200))
  expect_gt(mean((scores[2, ] > 0.5) == p$y), 0.95)
  expect_equal(predict(model, p$x), scores)
  expect_equal(predict(model, mx.io.arrayiter(p$x, p$y, batch.size = 30)), scores, tolerance = 1e-6)
})

test_that("mx.mlp learns what is no line", {
  set.seed(1)
  x <- matrix(stats::runif(2 * 400, -1, 1), 2)
  y <- as.numeric(x[1, ] * x[2, ] > 0)
  mx.set.seed(2)
  model <- mx.mlp(x, y, hidden_node = c(16, 8), out_node = 2, num.round = 60, array.batch.size = 40,
                  learning.rate = 0.2, momentum = 0.9, initializer = mx.init.Xavier(), verbose = FALSE)
  expect_gt(mean((predict(model, x)[2, ] > 0.5) == y), 0.93)
})

test_that("the same seed gives the same weights to the bit", {
  p <- points(64)
  net <- mx.symbol.SoftmaxOutput(mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 2, name = "fc"))
  train <- function() {
    mx.set.seed(9)
    model <- mx.model.FeedForward.create(net, X = p$x, y = p$y, num.round = 3, array.batch.size = 16, verbose = FALSE)
    as.array(model$arg.params$fc_weight)
  }
  expect_identical(train(), train())
})

test_that("biases decay unless the optimizer is named", {
  line <- mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 1, name = "fc")
  net <- mx.symbol.LinearRegressionOutput(line, name = "lro")
  # A weight and a bias, 1 at first and with gradients of 0.
  step <- function(optimizer, ...) {
    model <- mx.model.FeedForward.create(
      net, X = matrix(0, 1), y = 1, num.round = 1, array.batch.size = 1, verbose = FALSE, optimizer = optimizer, ...,
      arg.params = list(fc_weight = mx.nd.ones(c(1, 1)), fc_bias = mx.nd.ones(1)))
    c(as.array(model$arg.params$fc_weight), as.array(model$arg.params$fc_bias))
  }
  expect_equal(step("sgd", learning.rate = 0.5, wd = 0.5), c(0.75, 1))
  expect_equal(step(mx.opt.sgd(learning.rate = 0.5, wd = 0.5)), c(0.75, 0.75))
})

test_that("callbacks print, save, and end the training", {
  p <- points(64)
  net <- mx.symbol.SoftmaxOutput(mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 2, name = "fc"))
  prefix <- tempfile()
  epochs <- 0
  output <- capture.output({
    model <- mx.model.FeedForward.create(
      net, X = p$x, y = p$y, num.round = 10, array.batch.size = 16, eval.metric = "acc",
      batch.end.callback = mx.callback.log.train.metric(period = 2),
      epoch.end.callback = list(mx.callback.save.checkpoint(prefix), function(epoch, batch, env, verbose) {
        epochs <<- epoch
        epoch < 2
      }))
  })
  expect_equal(epochs, 2)
  expect_true(any(grepl("Train-accuracy", output[1:2])))
  expect_true(file.exists(paste0(prefix, "-0002.params")))
  saved <- mx.model.load(prefix, 2)
  expect_identical(as.array(saved$arg.params$fc_weight), as.array(model$arg.params$fc_weight))
})

test_that("early stopping ends when nothing gets better", {
  stop.early <- mx.callback.early.stop(bad.steps = 2)
  metric <- mx.metric.custom("m", function(label, pred) 1)
  mx.metric.update(metric, mx.nd.ones(1), mx.nd.ones(1))
  env <- list(metric = metric)
  expect_true(stop.early(1, 0, env))
  expect_true(stop.early(2, 0, env))
  expect_false(stop.early(3, 0, env))
})

test_that("training goes on from parameters, and fixed ones stay", {
  p <- points(64)
  net <- mx.symbol.SoftmaxOutput(mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 2, name = "fc"))
  given <- mx.model.init.params(net, list(data = c(3, 16)), initializer = mx.init.Xavier())
  model <- mx.model.FeedForward.create(net, X = p$x, y = p$y, num.round = 2, array.batch.size = 16, verbose = FALSE,
                                       arg.params = given$arg.params, fixed.param = "fc_weight")
  expect_identical(as.array(model$arg.params$fc_weight), as.array(given$arg.params$fc_weight))
  expect_false(identical(as.array(model$arg.params$fc_bias), as.array(given$arg.params$fc_bias)))
})
