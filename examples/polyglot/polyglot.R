# The training of README.md in R: `Rscript polyglot.R train MODEL` or `Rscript polyglot.R predict MODEL OUTPUT`.
# Sizes are in R's order: samples are along the last dimension.
library(mxr, warn.conflicts = FALSE)

# The 600 examples and their labels.
examples <- function() {
  mx.set.seed(7)
  data <- mx.nd.random.normal(shape = c(8, 600))
  list(data = data, label = mx.nd.argmax(mx.nd.dot(data, mx.nd.random.normal(shape = c(3, 8))), axis = 1))
}

network <- function() {
  h <- mx.symbol.FullyConnected(mx.symbol.Variable("data"), num_hidden = 32, name = "fc1")
  h <- mx.symbol.Activation(h, act_type = "relu", name = "relu1")
  mx.symbol.SoftmaxOutput(mx.symbol.FullyConnected(h, num_hidden = 3, name = "fc2"), name = "softmax")
}

train <- function(file) {
  given <- examples()
  batches <- mx.io.NDArrayIter(given$data, given$label, batch_size = 50, shuffle = TRUE, seed = 7)
  model <- mx.model.FeedForward.create(network(), batches, num.round = 4, learning_rate = 0.1, momentum = 0.9,
                                       initializer = mx.init.Xavier(), eval.metric = mx.metric.accuracy)
  mx.save.model(file, model$symbol, model$arg.params, model$aux.params)
}

foretell <- function(file, output) mx.nd.save(list(mx.predictor(file)(examples()$data)), output)

args <- commandArgs(trailingOnly = TRUE)
switch(args[[1]], train = train(args[[2]]), predict = foretell(args[[2]], args[[3]]))
