"""The training of README.md in Python: `polyglot.py train MODEL` or `polyglot.py predict MODEL OUTPUT`."""

import sys

import mxr as mx


def examples():
    """The 600 examples and their labels."""
    mx.random.seed(7)
    data = mx.nd.random_normal(shape=(600, 8))
    label = mx.nd.argmax(mx.nd.dot(data, mx.nd.random_normal(shape=(8, 3))), axis=1)
    return data, label


def network():
    h = mx.sym.FullyConnected(mx.sym.Variable("data"), num_hidden=32, name="fc1")
    h = mx.sym.Activation(h, act_type="relu", name="relu1")
    return mx.sym.SoftmaxOutput(mx.sym.FullyConnected(h, num_hidden=3, name="fc2"), name="softmax")


def train(model):
    data, label = examples()
    batches = mx.io.NDArrayIter(data, label, batch_size=50, shuffle=True, seed=7)
    module = mx.mod.Module(network())
    metric = mx.metric.Accuracy()
    module.fit(
        batches,
        num_epoch=4,
        eval_metric=metric,
        initializer=mx.init.Xavier(),
        optimizer="sgd",
        optimizer_params={"learning_rate": 0.1, "momentum": 0.9},
    )
    mx.save_model(model, module.symbol, *module.get_params())
    print(f"accuracy {metric.get()[1]:.4f}")


def predict(model, output):
    data, _ = examples()
    symbol, arguments, states = mx.load_model(model)[:3]
    executor = symbol.simple_bind(mx.cpu(), grad_req="null", data=data.shape)
    executor.copy_params_from(arguments, states)
    mx.nd.save(output, [executor.forward(data=data)[0]])


if __name__ == "__main__":
    {"train": train, "predict": predict}[sys.argv[1]](*sys.argv[2:])
