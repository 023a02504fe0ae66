"""Recurrent layers by their definition: Hochreiter and Schmidhuber 1997, Cho et al. 2014, Sak et al. 2014.

MXNet's CPU build computes projected states only in prediction, and ignores sequence lengths and the range of
cells.
"""

import numpy as np

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step(mode, x, h, c, weights, bounds):
    """The state and the cell behind one step of one sample."""
    w_x, w_h, w_r, b_x, b_h = weights
    from_x, from_h = w_x @ x + b_x, w_h @ h + b_h
    if mode == "gru":
        (rx, zx, nx), (rh, zh, nh) = np.split(from_x, 3), np.split(from_h, 3)
        z = sigmoid(zx + zh)
        return (1 - z) * np.tanh(nx + sigmoid(rx + rh) * nh) + z * h, c
    if mode == "lstm":
        i, f, g, o = np.split(from_x + from_h, 4)
        c = np.clip(sigmoid(f) * c + sigmoid(i) * np.tanh(g), *bounds)
        h = sigmoid(o) * np.tanh(c)
        return (h if w_r is None else w_r @ h), c
    both = from_x + from_h
    return (np.tanh(both) if mode == "rnn_tanh" else np.maximum(both, 0)), c


def rnn(inputs, attrs):
    """The result, the last states and, for LSTM, the last cells."""
    mode, hidden, layers = attrs["mode"], attrs["state_size"], attrs["num_layers"]
    directions = 1 + bool(attrs.get("bidirectional"))
    projected = attrs.get("projection_size")
    state = projected or hidden
    bounds = attrs.get("lstm_state_clip_min", -np.inf), attrs.get("lstm_state_clip_max", np.inf)
    data, parameters, h0 = inputs[:3]
    steps, batch = data.shape[:2]
    c0 = inputs[3] if mode == "lstm" else np.zeros((layers * directions, batch, hidden))
    lengths = inputs[-1].astype(int) if attrs.get("use_sequence_length") else [steps] * batch
    at = 0

    def take(*shape):
        nonlocal at
        at += int(np.prod(shape))
        return parameters[at - int(np.prod(shape)) : at].reshape(shape)

    gates = GATES[mode] * hidden
    weights = []
    for layer in range(layers):
        width = data.shape[2] if layer == 0 else directions * state
        for _ in range(directions):
            w_r = (state, hidden) if projected else None
            weights.append([take(gates, width), take(gates, state), w_r and take(*w_r)])
    for each in weights:
        each += [take(gates), take(gates)]

    h, c = h0.copy(), c0.copy()
    for layer in range(layers):
        result = np.zeros((steps, batch, directions * state), data.dtype)
        for d in range(directions):
            j = layer * directions + d
            for n, length in enumerate(lengths):
                for t in reversed(range(length)) if d else range(length):
                    h[j, n], c[j, n] = step(mode, data[t, n], h[j, n], c[j, n], weights[j], bounds)
                    result[t, n, d * state : (d + 1) * state] = h[j, n]
        data = result
    return [data, h, c] if mode == "lstm" else [data, h]
