bytes <- function() mx.memory()[["in.use"]]

test_that("a hundred thousand temporaries stay flat without calling the collector", {
  x <- mx.nd.array(rep(1, 4096))
  gc()
  before <- bytes()
  most <- 0
  for (i in 1:100000) {
    y <- x + x
    if (i %% 1000 == 0) most <- max(most, bytes())
  }
  mx.wait.all()
  expect_lt(most - before, 192e6)
})

test_that("large temporaries stay flat", {
  x <- mx.nd.ones(c(1000, 1000))
  most <- 0
  for (i in 1:300) {
    y <- x + 1
    mx.nd.wait(y)
    most <- max(most, bytes())
  }
  expect_lt(most, 300e6)
})

test_that("a scope closes what was made in it, but for its value", {
  kept <- mx.scope({
    inner <- mx.nd.ones(1000)
    inner * 2
  })
  expect_equal(as.vector(kept)[1], 2)
  expect_error(inner + 1, class = "mxr_error_closed")
})

test_that("scopes nest, and end where an error passes", {
  outer <- mx.scope({
    a <- mx.nd.ones(3)
    b <- mx.scope(a + 1)
    expect_error(mx.scope({
      lost <- mx.nd.ones(3)
      stop("no")
    }), "no")
    expect_error(lost + 1, class = "mxr_error_closed")
    list(b)
  })
  expect_equal(as.vector(outer[[1]]), c(2, 2, 2))
  expect_error(a + 1, class = "mxr_error_closed")
})

test_that("closing gives the memory back", {
  a <- mx.nd.ones(c(1000, 1000))
  mx.nd.wait(a)
  full <- bytes()
  close(a)
  expect_lte(bytes(), full - 4e6)
})

test_that("DLPack shares memory both ways, and a tensor is taken once", {
  x <- mx.nd.array(matrix(1:6, 2))
  tensor <- mx.nd.to.dlpack(x)
  y <- mx.nd.from.dlpack(tensor)
  y[1, 1] <- 10
  expect_equal(as.array(x)[1, 1], 10)
  expect_equal(dim(y), c(2, 3))
  expect_error(mx.nd.from.dlpack(tensor), class = "mxr_error_closed")
  expect_error(mx.nd.from.dlpack(1), class = "mxr_error_invalid_type")
  close(x)
  expect_equal(as.array(y)[2, 3], 6)
})

test_that("failures of work that runs later come with the wait", {
  index <- mx.nd.array(c(0, 99))
  found <- tryCatch({
    y <- mx.nd.take(mx.nd.ones(c(2, 3)), index, axis = 0, mode = "raise")
    as.array(y)
  }, error = identity)
  expect_s3_class(found, "mxr_error_index")
})
