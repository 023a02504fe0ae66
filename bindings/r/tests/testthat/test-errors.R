test_that("a failure is a condition with class, code, operator and argument", {
  a <- mx.nd.array(matrix(1:6, 2))
  e <- tryCatch(mx.nd.dot(a, a), error = identity)
  expect_s3_class(e, c("mxr_error_shape", "mxr_error", "error"), exact = FALSE)
  expect_equal(e$code, "shape")
  expect_equal(e$operator, "dot")
  expect_match(conditionMessage(e), "shape")
})

test_that("an argument that there is not is named", {
  expect_error(mx.nd.exp(mx.nd.array(1), axes = 1), "axes", class = "mxr_error_not_found")
  expect_error(mx.nd.exp(mx.nd.array(1), mx.nd.array(1)), "at most 1", class = "mxr_error_invalid_value")
})

test_that("what is no array is refused by the argument's name", {
  expect_error(mx.nd.exp(1), "data.*expected an MXNDArray, got double", class = "mxr_error_invalid_type")
  expect_error(mx.nd.FullyConnected(mx.nd.array(1), mx.nd.array(1)), "num_hidden")
})

test_that("a value of a wrong kind or outside its bounds is refused", {
  a <- mx.nd.array(matrix(1:6, 2))
  expect_error(mx.nd.sum(a, axis = "x"), class = "mxr_error")
  expect_error(mx.nd.sum(a, axis = 5), class = "mxr_error")
  expect_error(mx.nd.Activation(a, act_type = "sinus"), class = "mxr_error")
  expect_error(mx.nd.sum(a, axis = function() 1), class = "mxr_error_invalid_type")
})

test_that("a dtype or dimensions that there are not are refused", {
  expect_error(mx.nd.array(1, dtype = "float7"), class = "mxr_error_dtype")
  expect_error(mx.nd.zeros(c(2, -3)), class = "mxr_error")
  expect_error(mx.nd.empty(2.5), class = "mxr_error_invalid_value")
  expect_error(mx.nd.array("a"), class = "mxr_error_invalid_type")
})

test_that("a closed array says so, and closing again is no error", {
  a <- mx.nd.array(1:3)
  close(a)
  close(a)
  expect_error(a + 1, class = "mxr_error_closed")
  expect_output(print(a), "closed")
})

test_that("a file that there is not is an error", {
  expect_error(mx.nd.load(tempfile()), class = "mxr_error_not_found")
  expect_error(mx.symbol.load.json("{}"), class = "mxr_error")
})

test_that("a device that there is not is an error", {
  expect_error(as.array(mx.nd.zeros(2, ctx = mx.gpu(7))), class = "mxr_error_device")
  expect_error(mx.nd.zeros(2, ctx = 3), class = "mxr_error")
})
