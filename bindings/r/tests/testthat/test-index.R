# What R gives for the same subscripts is expected.

m <- array(as.numeric(1:24), c(2, 3, 4))
subscripts <- list(
  quote(x[1, , ]), quote(x[, 2, ]), quote(x[, , 4]), quote(x[2, 3, 4]), quote(x[1:2, 2:3, 1:2]), quote(x[, -1, ]),
  quote(x[, c(3, 1), ]), quote(x[-1, c(1, 1, 2), 4:2]), quote(x[c(TRUE, FALSE), , ]), quote(x[, , 2, drop = FALSE]),
  quote(x[5]), quote(x[c(24, 1)]), quote(x[-1]), quote(x[m > 12]), quote(x[cbind(1:2, 2:3, 3:4)]), quote(x[]))

test_that("subscripts mean what they mean to R", {
  for (one in subscripts) {
    expected <- eval(one, list(x = m))
    got <- eval(one, list(x = mx.nd.array(m)))
    expect_equal(as.vector(got), as.vector(expected), info = deparse(one))
    expect_equal(dim(got), if (is.null(dim(expected))) length(expected) else dim(expected), info = deparse(one))
  }
})

test_that("an array may choose elements", {
  a <- mx.nd.array(m)
  expect_equal(as.vector(a[a > 12]), m[m > 12])
  expect_equal(as.vector(a[mx.nd.array(c(3, 5))]), m[c(3, 5)])
})

test_that("assignment means what it means to R", {
  changes <- list(
    quote(x[1, , ] <- 0), quote(x[, 2, ] <- 1:8), quote(x[2, 3, 4] <- -1), quote(x[, c(3, 1), ] <- 5),
    quote(x[7] <- 100), quote(x[m > 12] <- 12), quote(x[] <- 3), quote(x[1:2, 1, 2:3] <- matrix(1:4, 2)),
    quote(x[-1, , 1] <- c(7, 8, 9)))
  for (one in changes) {
    expected <- local({ x <- m; eval(one); x })
    got <- local({ x <- mx.nd.array(m); eval(one); x })
    expect_equal(as.array(got), expected, info = deparse(one))
  }
})

test_that("a vector is assigned to as a whole and in parts", {
  a <- mx.nd.array(1:4)
  a[] <- c(5, 6, 7, 8)
  a[2:3] <- 0
  a[a == 8] <- 9
  expect_equal(as.vector(a), c(5, 0, 0, 9))
})

test_that("subscripts outside are errors of their class", {
  a <- mx.nd.array(m)
  expect_error(a[3, 1, 1], class = "mxr_error_index")
  expect_error(a[1, 1], class = "mxr_error_index")
  expect_error(a[25], class = "mxr_error_index")
  expect_error(a["a"], class = "mxr_error_index")
  expect_error(a[3, 1, 1] <- 0, class = "mxr_error_index")
})

test_that("gradients go through subscripts", {
  x <- mx.nd.array(c(1, 2, 3, 4))
  mx.nd.attach.grad(x)
  loss <- mx.autograd.record(sum(x[2:3]^2) + sum(x[c(4, 4)]))
  mx.autograd.backward(loss)
  expect_equal(as.vector(mx.nd.grad(x)), c(0, 4, 6, 2))
})
