# Trains LeNet on MNIST: `Rscript lenet.R DATA [EPOCHS [IMAGES]]`.
#
# DATA is a folder with MNIST's four IDX files, as train.py reads them; `cargo xtask demo` fetches them.
library(mxr)

BATCH <- 64

# The bytes of an IDX file after its header of so many sizes.
read_idx <- function(path, axes) {
  file <- file(path, "rb")
  on.exit(close(file))
  header <- readBin(file, "integer", axes + 1L, 4L, endian = "big")
  if (header[1] != 2048L + axes) stop(path, " is no IDX file")
  readBin(file, "integer", prod(header[-1]), 1L, signed = FALSE)
}

# Images with a channel, and the digits on them; samples are along the last dimension.
read_images <- function(folder, part) {
  pixels <- read_idx(file.path(folder, paste0(part, "-images-idx3-ubyte")), 3L)
  list(pixels = array(pixels, c(28, 28, 1, length(pixels) / 784)),
       digits = read_idx(file.path(folder, paste0(part, "-labels-idx1-ubyte")), 1L))
}

# Some of the images, from 0 to 1.
images <- function(data, at) mx.nd.array(data$pixels[, , , at, drop = FALSE]) / 255

lenet <- function(x, p) {
  layer <- function(x, weight, bias, filters) {
    x <- mx.nd.Convolution(x, weight, bias, kernel = c(5, 5), num_filter = filters)
    mx.nd.Pooling(mx.nd.relu(x), kernel = c(2, 2), stride = c(2, 2), pool_type = "max")
  }
  x <- layer(x, p$conv1_weight, p$conv1_bias, 20)
  x <- layer(x, p$conv2_weight, p$conv2_bias, 50)
  x <- mx.nd.relu(mx.nd.FullyConnected(x, p$fc1_weight, p$fc1_bias, num_hidden = 500))
  mx.nd.FullyConnected(x, p$fc2_weight, p$fc2_bias, num_hidden = 10)
}

# Weights that keep the size of what flows through them; biases of zero.
initialize <- function() {
  xavier <- mx.init.Xavier(rnd_type = "uniform", factor_type = "in", magnitude = 6)
  params <- mx.init.create(xavier, list(
    conv1_weight = c(5, 5, 1, 20), conv1_bias = 20, conv2_weight = c(5, 5, 20, 50), conv2_bias = 50,
    fc1_weight = c(800, 500), fc1_bias = 500, fc2_weight = c(500, 10), fc2_bias = 10))
  for (param in params) mx.nd.attach.grad(param)
  params
}

accuracy <- function(test, params) {
  batches <- split(seq_along(test$digits), (seq_along(test$digits) - 1) %/% 250)
  known <- vapply(batches, function(at) {
    scores <- lenet(images(test, at), params)
    sum(as.vector(mx.nd.argmax(scores, axis = 1)) == test$digits[at])
  }, 0)
  sum(known) / length(test$digits)
}

# One pass over the images; gives the mean loss.
epoch <- function(train, order, params, update) {
  steps <- length(order) %/% BATCH
  bar <- utils::txtProgressBar(0, steps, style = 3)
  on.exit(close(bar))
  sum <- mx.nd.zeros(1)
  for (step in seq_len(steps)) {
    at <- order[(step - 1) * BATCH + seq_len(BATCH)]
    x <- images(train, at)
    y <- mx.nd.array(train$digits[at])
    loss <- mx.autograd.record(mx.nd.softmax.cross.entropy(lenet(x, params), y))
    mx.autograd.backward(loss)
    update(params, lapply(params, mx.nd.grad))
    sum <- sum + mx.nd.detach(loss)
    if (step %% 20 == 0 || step == steps) utils::setTxtProgressBar(bar, step)
  }
  as.numeric(sum) / (steps * BATCH)
}

main <- function(folder, epochs = 4, most = 60000) {
  train <- read_images(folder, "train")
  test <- read_images(folder, "t10k")
  n <- min(most, length(train$digits))
  set.seed(1)
  mx.set.seed(1)
  params <- initialize()
  # The learning rate rises for a moment, then falls to zero along a cosine.
  schedule <- mx.lr_scheduler.CosineScheduler(max_update = epochs * (n %/% BATCH), base_lr = 0.05, warmup_steps = 100)
  sgd <- mx.opt.sgd(momentum = 0.9, wd = 1e-4, rescale_grad = 1 / BATCH, lr_scheduler = schedule)
  update <- mx.opt.get.updater(sgd, params)
  cat("LeNet on", n, "images, mxr", mx.info()$version, "\n")
  for (i in seq_len(epochs)) {
    start <- proc.time()[["elapsed"]]
    loss <- epoch(train, sample(n), params, update)
    cat(sprintf("epoch %d/%d: loss %.4f, test %.4f, %.0f s\n", i, epochs, loss, accuracy(test, params),
                proc.time()[["elapsed"]] - start))
  }
  cat(sprintf("test accuracy: %.4f\n", accuracy(test, params)))
}

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) == 0) stop("usage: Rscript lenet.R DATA [EPOCHS [IMAGES]]")
do.call(main, c(list(arguments[1]), lapply(arguments[-1], as.numeric)))
