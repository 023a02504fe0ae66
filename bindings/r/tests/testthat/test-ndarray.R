# Expected values are R's own.

values <- array(c(1.5, -2, 3, 0, 7, 8.25, -1, 2, 4, 4, 5, 6), c(2, 3, 2))

test_that("an array has the dimensions and elements of R's", {
  a <- mx.nd.array(values)
  expect_equal(dim(a), c(2, 3, 2))
  expect_equal(as.array(a), values)
  expect_equal(length(a), 12)
  expect_equal(mx.nd.dtype(a), "float32")
})

test_that("every dtype holds what it can and gives it back", {
  for (dtype in c("float64", "float32", "float16", "bfloat16", "int64", "int32", "int8")) {
    whole <- array(c(-3, 0, 1, 100), c(2, 2))
    expect_equal(as.array(mx.nd.array(whole, dtype = dtype)), whole, info = dtype)
  }
  expect_equal(as.vector(mx.nd.array(c(0, 255), dtype = "uint8")), c(0, 255))
  expect_identical(as.vector(mx.nd.array(c(TRUE, FALSE), dtype = "bool")), c(TRUE, FALSE))
  expect_identical(as.vector(mx.nd.array(1:3, dtype = "int32")), 1:3)
  expect_equal(as.vector(mx.nd.array(2^40, dtype = "int64")), 2^40)
})

test_that("a missing integer becomes a number that is none", {
  expect_true(is.nan(as.vector(mx.nd.array(c(1L, NA)))[2]))
})

test_that("zeros, ones and others take R's dimensions", {
  expect_equal(as.array(mx.nd.zeros(c(2, 3))), matrix(0, 2, 3))
  expect_equal(as.array(mx.nd.ones(c(2, 3))), matrix(1, 2, 3))
  expect_equal(as.array(mx.nd.full(c(3, 2), 7)), matrix(7, 3, 2))
  expect_equal(dim(mx.nd.empty(c(4, 5, 6))), c(4, 5, 6))
  expect_equal(as.vector(mx.nd.arange(1, 7, 2)), c(1, 3, 5))
})

test_that("an empty array and one of no dimension are arrays", {
  expect_equal(dim(mx.nd.array(numeric(0))), 0)
  none <- mx.nd.array(5)
  dim(none) <- integer(0)
  expect_equal(dim(none), integer(0))
  expect_equal(as.vector(none), 5)
})

test_that("arithmetic is R's, with numbers and with arrays of R on either side", {
  a <- mx.nd.array(values)
  for (f in list(`+`, `-`, `*`, `/`)) {
    expect_equal(as.array(f(a, 2)), f(values, 2), tolerance = 1e-6)
    expect_equal(as.array(f(3, a)), f(3, values), tolerance = 1e-6)
    expect_equal(as.array(f(a, values)), f(values, values), tolerance = 1e-6)
    expect_equal(as.array(f(values, a)), f(values, values), tolerance = 1e-6)
  }
  expect_equal(as.array(a^2), values^2)
  expect_equal(as.array(a %% 3), values %% 3, tolerance = 1e-6)
  expect_equal(as.array(a %/% 2), values %/% 2)
  expect_equal(as.array(-a), -values)
})

test_that("a vector goes along the first dimension, as R recycles it", {
  m <- matrix(1:6, 2)
  expect_equal(as.array(mx.nd.array(m) * mx.nd.array(c(10, 1))), m * c(10, 1))
})

test_that("comparisons give 1 and 0", {
  a <- mx.nd.array(values)
  for (f in list(`==`, `!=`, `<`, `>`, `<=`, `>=`)) {
    expect_equal(as.array(f(a, 2)), f(values, 2) + 0)
    expect_equal(as.array(f(2, a)), f(2, values) + 0)
  }
  expect_equal(as.array((a > 0) & (a < 5)), (values > 0 & values < 5) + 0)
  expect_equal(as.array(!(a > 0)), (values <= 0) + 0)
})

test_that("R's mathematical functions take arrays", {
  x <- c(0.25, 0.5, 0.75)
  a <- mx.nd.array(x, dtype = "float64")
  for (f in list(abs, sqrt, exp, log, sin, cos, tanh, floor, ceiling, trunc, asin, atan, log1p, expm1, gamma, lgamma,
                 cumsum, sign, log2)) {
    expect_equal(as.vector(f(a)), f(x), tolerance = 1e-9)
  }
  expect_equal(as.vector(log(a, 10)), log10(x))
  expect_equal(c(as.vector(sum(a)), as.vector(mean(a)), as.vector(max(a)), as.vector(min(a)), as.vector(prod(a))),
               c(sum(x), mean(x), max(x), min(x), prod(x)))
  expect_equal(as.vector(range(a)), range(x))
})

test_that("products and transposes are those of matrices", {
  x <- matrix(c(1, 2, 3, 4, 5, 6), 2)
  y <- matrix(c(1, 0, 2, -1, 3, 5), 3)
  expect_equal(as.array(mx.nd.array(x) %*% mx.nd.array(y)), x %*% y)
  expect_equal(as.array(mx.nd.array(x) %*% y), x %*% y)
  expect_equal(as.array(x %*% mx.nd.array(y)), x %*% y)
  expect_equal(as.array(t(mx.nd.array(x))), t(x))
  expect_equal(as.array(aperm(mx.nd.array(values), c(2, 3, 1))), aperm(values, c(2, 3, 1)))
})

test_that("dimensions can be set, with the elements in R's order", {
  a <- mx.nd.array(values)
  dim(a) <- c(4, 3)
  expect_equal(as.array(a), array(values, c(4, 3)))
})

test_that("arrays are references and copies are not", {
  a <- mx.nd.array(c(1, 2, 3))
  same <- a
  copy <- mx.nd.copyto(a)
  a[2] <- 9
  expect_equal(as.vector(same), c(1, 9, 3))
  expect_equal(as.vector(copy), c(1, 2, 3))
})

test_that("printing shows the elements and what the array is", {
  expect_output(print(mx.nd.array(matrix(1:4, 2))), "<MXNDArray 2x2 float32 @cpu\\(0\\)>", fixed = FALSE)
  expect_output(print(list(mx.nd.array(1))), "MXNDArray 1")
  expect_output(str(mx.nd.array(1:3)), "MXNDArray 3 float32")
})

test_that("equality compares elements", {
  expect_true(isTRUE(all.equal(mx.nd.array(1:3), mx.nd.array(1:3))))
  expect_false(isTRUE(all.equal(mx.nd.array(1:3), mx.nd.array(c(1, 2, 4)))))
})

test_that("vectors of sizes are in R's order and axes are the library's", {
  x <- matrix(1:6, 2)
  a <- mx.nd.array(x)
  expect_equal(as.vector(mx.nd.sum(a, axis = 0)), rowSums(x))
  expect_equal(dim(mx.nd.reshape(a, shape = c(3, 2))), c(3, 2))
  expect_equal(as.array(mx.nd.slice(a, begin = c(0, 1), end = c(2, 3))), x[1:2, 2:3])
  expect_equal(dim(mx.nd.random.uniform(shape = c(4, 7))), c(4, 7))
})

test_that("names of arguments may have dots", {
  a <- mx.nd.array(matrix(1:6, 3))
  w <- mx.nd.array(matrix(1, 3, 4))
  expect_equal(dim(mx.nd.FullyConnected(a, w, num.hidden = 4, no.bias = TRUE)), c(4, 2))
})

test_that("any number of inputs may come as arguments or as a list", {
  a <- mx.nd.array(matrix(1:4, 2))
  expected <- cbind(matrix(1:4, 2), matrix(1:4, 2))
  expect_equal(as.array(mx.nd.concat(a, a, dim = 0)), expected)
  expect_equal(as.array(mx.nd.Concat(data = list(a, a), num.args = 2, dim = 0)), expected)
})

test_that("several outputs are a list, and out receives the result", {
  a <- mx.nd.array(matrix(1:6, 2))
  parts <- mx.nd.split(a, num_outputs = 3, axis = 0)
  expect_length(parts, 3)
  expect_equal(as.vector(parts[[2]]), c(3, 4))
  out <- mx.nd.zeros(c(2, 3))
  mx.nd.square(a, out = out)
  expect_equal(as.array(out), matrix(1:6, 2)^2)
})

test_that("random numbers are those of their seed", {
  mx.set.seed(7)
  first <- as.vector(mx.runif(100, -1, 1))
  mx.set.seed(7)
  expect_identical(as.vector(mx.runif(100, -1, 1)), first)
  expect_true(all(first >= -1 & first < 1))
  expect_lt(abs(mean(as.vector(mx.rnorm(10000, 3, 2))) - 3), 0.2)
})
