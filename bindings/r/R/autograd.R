# Automatic differentiation. Scopes are functions of an expression, which is evaluated where it is written.

# Evaluates an expression while calls are recorded or not, and training or not; NA leaves it as it is.
with_mode <- function(recording, training, expr) {
  before <- .Call(C_set_mode, recording, training)
  on.exit(.Call(C_set_mode, before[1], before[2]))
  expr
}

mx.autograd.record <- function(expr, train.mode = TRUE) with_mode(TRUE, train.mode, expr)

mx.autograd.pause <- function(expr, train.mode = FALSE) with_mode(FALSE, train.mode, expr)

mx.autograd.train.mode <- function(expr) with_mode(NA, TRUE, expr)

mx.autograd.predict.mode <- function(expr) with_mode(NA, FALSE, expr)

mx.autograd.is.recording <- function() .Call(C_set_mode, NA, NA)[1]

mx.autograd.is.training <- function() .Call(C_set_mode, NA, NA)[2]

mx.nd.attach.grad <- function(x, grad.req = "write") {
  gradient <- mx.autograd.pause(mx.nd.zeros.like(x))
  .Call(C_mark, x, gradient, grad.req)
  invisible(x)
}

mx.nd.grad <- function(x) .Call(C_grad_of, x)

mx.autograd.mark.variables <- function(variables, gradients, grad.req = "write") {
  invisible(.Call(C_mark, variables, gradients, grad.req))
}

mx.autograd.backward <- function(heads, head.grads = NULL, retain.graph = FALSE, train.mode = TRUE) {
  invisible(.Call(C_backward, heads, head.grads, retain.graph, train.mode))
}

mx.autograd.grad <- function(heads, variables, head.grads = NULL, retain.graph = create.graph,
    create.graph = FALSE, train.mode = TRUE) {
  found <- .Call(C_grad, heads, variables, head.grads, retain.graph, create.graph, train.mode)
  if (is.mx.ndarray(variables)) found[[1]] else structure(found, names = names(variables))
}

mx.autograd.get.symbol <- function(heads) .Call(C_autograd_symbol, heads)

mx.autograd.Function <- function(forward, backward, name = "Function") {
  force(backward)
  function(...) {
    inputs <- list(...)
    found <- mx.autograd.pause(forward(...), mx.autograd.is.training())
    outputs <- if (is.mx.ndarray(found)) list(found) else found
    if (mx.autograd.is.recording()) {
      .Call(C_record_custom, name, inputs, outputs, function(grads) {
        made <- backward(grads, inputs, outputs)
        if (is.mx.ndarray(made)) list(made) else made
      })
    }
    found
  }
}
