//! The calls that document and test recurrent layers.

use crate::ops::family::prelude::*;

/// All of them.
pub fn samples() -> Vec<Sample> {
    let small = (3, 2, 2);
    let mut samples = vec![];
    for (name, deep, mode) in [
        ("lstm", "lstm, two layers in both directions, with states", "lstm"),
        ("gru", "gru, two layers in both directions, with states", "gru"),
        ("tanh", "tanh, two layers in both directions, with states", "rnn_tanh"),
        ("relu", "relu, two layers in both directions, with states", "rnn_relu"),
    ] {
        samples.push(sample(name, mode, small, 3, 1, 1));
        samples.push(sample(deep, mode, small, 2, 2, 2).attr("state_outputs", true));
    }
    samples.extend([
        sample("one step", "lstm", (1, 2, 3), 2, 1, 1).attr("state_outputs", true),
        sample("dropout between layers", "gru", small, 2, 2, 1)
            .attr("p", 0.5)
            .oracle(Oracle::Run)
            .no_gradient(),
        sample("dropout in prediction", "gru", small, 2, 2, 1).attr("p", 0.5).predicting().no_gradient(),
        sample("too few parameters", "lstm", small, 3, 1, 1)
            .attr("bidirectional", true)
            .fails(ErrorCode::Shape),
        sample_with("projected states, in prediction", "lstm", small, (3, Some(2)), 2, 2)
            .attr("state_outputs", true)
            .predicting()
            .no_gradient(),
        sample_with("projected states", "lstm", small, (3, Some(2)), 2, 2)
            .attr("state_outputs", true)
            .oracle(DEFINITION),
        clipped("cells in a range", -0.25, 0.5).oracle(DEFINITION),
        clipped("cells in no range", 0.5, -0.5).fails(ErrorCode::InvalidValue),
        sample("half a range", "lstm", small, 3, 1, 1)
            .attr("lstm_state_clip_min", 0.0)
            .fails(ErrorCode::InvalidValue),
        ending("lstm, samples that end", sample("", "lstm", small, 2, 2, 2)),
        ending("gru, samples that end", sample("", "gru", small, 2, 2, 2)),
        ending("tanh, samples that end", sample("", "rnn_tanh", small, 2, 1, 2)),
        ending("projected, samples that end", sample_with("", "lstm", small, (3, Some(2)), 1, 2)),
        sample("longer than the data", "gru", small, 3, 1, 1)
            .values(&[2], &[2.0, 4.0])
            .of(DType::I32)
            .attr("use_sequence_length", true)
            .fails(ErrorCode::InvalidValue),
        sample("a length without lengths", "gru", small, 3, 1, 1)
            .attr("use_sequence_length", true)
            .fails(ErrorCode::InvalidValue),
        sample("a projection of something else", "gru", small, 3, 1, 1)
            .attr("projection_size", 2)
            .fails(ErrorCode::InvalidValue),
        Sample::new("data without steps")
            .input(&[2, 2])
            .input(&[8])
            .input(&[1, 2, 2])
            .attr("mode", "rnn_tanh")
            .attr("state_size", 2)
            .attr("num_layers", 1)
            .fails(ErrorCode::Shape),
    ]);
    samples
}

/// Samples: sizes (steps, n, inputs), state size, layers, directions.
fn sample(name: &'static str, mode: &'static str, data: (i64, i64, i64), h: i64, l: i64, d: i64) -> Sample {
    sample_with(name, mode, data, (h, None), l, d)
}

/// [`sample`] with a projection of the states.
fn sample_with(
    name: &'static str,
    mode: &'static str,
    (t, n, i): (i64, i64, i64),
    (h, projected): (i64, Option<i64>),
    l: i64,
    d: i64,
) -> Sample {
    let r = projected.unwrap_or(h);
    let gates = match mode {
        "lstm" => 4,
        "gru" => 3,
        _ => 1,
    };
    let above = (l - 1) * (d * r + r + 2);
    let parameters = gates * h * d * (i + r + 2 + above) + projected.map_or(0, |r| l * d * r * h);
    let s = Sample::new(name).grid(&[t, n, i], -1.0, 1.0).grid(&[parameters], -0.75, 0.75);
    let s = s.grid(&[l * d, n, r], -1.0, 1.0).attr("mode", mode).attr("state_size", h).attr("num_layers", l);
    let s = if let Some(r) = projected { s.attr("projection_size", r) } else { s };
    let s = if d == 2 { s.attr("bidirectional", true) } else { s };
    let s = if mode == "lstm" { s.grid(&[l * d, n, h], -1.0, 1.0) } else { s };
    s.tolerance(8.0)
}

/// tests/conformance/oracle/rnn.py, for what MXNet computes only on a GPU.
const DEFINITION: Oracle = Oracle::NumPy("rnn(x, attrs)");

fn clipped(name: &'static str, min: f64, max: f64) -> Sample {
    let s = sample(name, "lstm", (3, 2, 2), 3, 1, 2).attr("state_outputs", true);
    s.attr("lstm_state_clip_min", min).attr("lstm_state_clip_max", max).attr("lstm_state_clip_nan", true)
}

/// A sample in which the first sequence has two of three steps.
fn ending(name: &'static str, sample: Sample) -> Sample {
    let mut s = sample.values(&[2], &[2.0, 3.0]).of(DType::I32);
    s.name = name;
    s.attr("use_sequence_length", true).attr("state_outputs", true).oracle(DEFINITION)
}
