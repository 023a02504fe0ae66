net <- mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 2, name = "fc")
params <- list(fc_weight = mx.nd.array(matrix(c(1, 2, 3, 4, 5, 6), 3)), fc_bias = mx.nd.array(c(0.5, -0.5)))
x <- matrix(c(1, 0, 0, 1, 1, 1), 3)
expected <- t(matrix(c(1, 2, 3, 4, 5, 6), 3)) %*% x + c(0.5, -0.5)

test_that("lists of arrays come back with their names and dtypes", {
  file <- tempfile()
  mx.nd.save(list(a = mx.nd.array(1:3), b = mx.nd.array(matrix(1:4, 2), dtype = "float64")), file)
  found <- mx.nd.load(file)
  expect_equal(names(found), c("a", "b"))
  expect_equal(as.array(found$b), matrix(1:4, 2))
  expect_equal(mx.nd.dtype(found$b), "float64")
  mx.nd.save(mx.nd.array(7), file)
  expect_null(names(mx.nd.load(file)))
})

test_that("a model goes through MXNet's two files", {
  prefix <- tempfile()
  mx.model.save(list(symbol = net, arg.params = params), prefix, 3)
  expect_true(file.exists(paste0(prefix, "-0003.params")))
  model <- mx.model.load(prefix, 3)
  expect_equal(as.array(model$arg.params$fc_weight), as.array(params$fc_weight))
  expect_equal(predict(model, x, array.batch.size = 1), expected)
  expect_equal(predict(model, t(x), array.layout = "rowmajor"), expected)
})

test_that("a model goes through one file, with its inputs and texts", {
  file <- tempfile(fileext = ".safetensors")
  mx.save.model(file, net, params, inputs = list(data = c(3, 2)), texts = c(author = "me"))
  model <- mx.load.model(file)
  expect_equal(model$inputs$data$dim, c(3, 2))
  expect_equal(model$texts[["author"]], "me")
  expect_equal(as.array(mx.predictor(file)(x)), expected)
})

test_that("a predictor takes files, and batches of any size", {
  prefix <- tempfile()
  mx.model.save(list(symbol = net, arg.params = params), prefix, 1)
  model <- mx.predictor(paste0(prefix, "-symbol.json"), paste0(prefix, "-0001.params"))
  expect_equal(as.array(model(x)), expected)
  expect_equal(as.array(model(data = x[, 2, drop = FALSE])), expected[, 2, drop = FALSE])
})

test_that("a damaged file is an error", {
  file <- tempfile()
  mx.nd.save(list(a = mx.nd.array(1:3)), file)
  bytes <- readBin(file, "raw", 1000)
  writeBin(bytes[1:20], file)
  expect_error(mx.nd.load(file), class = "mxr_error_format")
  expect_error(mx.load.model(file), class = "mxr_error")
})
