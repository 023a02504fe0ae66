//! Deep networks: those of "Training Deep Nets with Sublinear Memory Cost" (2016), as in its authors' program
//! mxnet-memonger, and small ones of the same kinds.

use super::{call, conv, dense, global_pool, named, norm, pool, relu, softmax, var};
use mxr_core::graph::Symbol;

fn module(x: &Symbol, filters: u32, kernel: u32, stride: u32) -> Symbol {
    let x = norm(&conv(x, filters, kernel, stride, kernel / 2, true));
    call("LeakyReLU", &[&x], &[("act_type", "leaky")])
}

/// The residual network with bottlenecks of that paper: `stages` units of three layers each.
pub fn residual(stages: [u32; 4]) -> Symbol {
    let x = pool(&module(&var("data"), 64, 7, 2), "max", 3, 2, 0);
    tail(&units(x, 64, stages), 1000)
}

/// The same for small pictures, with few channels.
pub fn small_residual(stages: [u32; 4], filters: u32) -> Symbol {
    tail(&units(module(&var("data"), filters, 3, 1), filters, stages), 10)
}

fn units(mut x: Symbol, filters: u32, stages: [u32; 4]) -> Symbol {
    for (stage, units) in stages.into_iter().enumerate() {
        for unit in 0..units {
            let f = filters << stage;
            let stride = if stage > 0 && unit == 0 { 2 } else { 1 };
            let y = module(&module(&module(&x, f, 1, 1), f, 3, stride), 4 * f, 1, 1);
            let shortcut = if unit == 0 { module(&x, 4 * f, 1, stride) } else { x };
            x = call("elemwise_add", &[&shortcut, &y], &[]);
        }
    }
    x
}

fn tail(x: &Symbol, classes: u32) -> Symbol {
    let x = call("Flatten", &[&global_pool(x)], &[]);
    softmax(&dense(&x, classes))
}

struct Cell {
    input_weight: Symbol,
    input_bias: Symbol,
    hidden_weight: Symbol,
    hidden_bias: Symbol,
}

fn cell(layer: u32) -> Cell {
    let v = |what: &str| var(&format!("l{layer}_{what}"));
    Cell {
        input_weight: v("i2h_weight"),
        input_bias: v("i2h_bias"),
        hidden_weight: v("h2h_weight"),
        hidden_bias: v("h2h_bias"),
    }
}

fn step(cell: &Cell, hidden: u32, x: &Symbol, c: &Symbol, h: &Symbol, name: &str) -> (Symbol, Symbol) {
    let size = (4 * hidden).to_string();
    let fc = |x: &Symbol, w: &Symbol, b: &Symbol, part: &str| {
        named("FullyConnected", &format!("{name}_{part}"), &[x, w, b], &[("num_hidden", &size)])
    };
    let gates = call(
        "elemwise_add",
        &[
            &fc(x, &cell.input_weight, &cell.input_bias, "i2h"),
            &fc(h, &cell.hidden_weight, &cell.hidden_bias, "h2h"),
        ],
        &[],
    );
    let gates = call("SliceChannel", &[&gates], &[("num_outputs", "4")]);
    let gate = |i: usize| Symbol { outputs: vec![gates.outputs[i].clone()] };
    let act = |x: &Symbol, kind: &str| call("Activation", &[x], &[("act_type", kind)]);
    let (input, change) = (act(&gate(0), "sigmoid"), act(&gate(1), "tanh"));
    let (forget, output) = (act(&gate(2), "sigmoid"), act(&gate(3), "sigmoid"));
    let mul = |a: &Symbol, b: &Symbol| call("elemwise_mul", &[a, b], &[]);
    let c = call("elemwise_add", &[&mul(&forget, c), &mul(&input, &change)], &[]);
    let h = mul(&output, &act(&c, "tanh"));
    (c, h)
}

/// An unrolled LSTM that predicts a label at each step; the loss is the sum of the cross entropies.
pub fn lstm(layers: u32, steps: u32, hidden: u32, labels: u32) -> Symbol {
    let cells: Vec<Cell> = (0..layers).map(cell).collect();
    let mut states: Vec<(Symbol, Symbol)> =
        (0..layers).map(|l| (var(&format!("l{l}_init_c")), var(&format!("l{l}_init_h")))).collect();
    let (weight, bias) = (var("cls_weight"), var("cls_bias"));
    let mut losses = Vec::new();
    for t in 0..steps {
        let mut x = var(&format!("t{t}_data"));
        for (l, (cell, state)) in cells.iter().zip(&mut states).enumerate() {
            *state = step(cell, hidden, &x, &state.0, &state.1, &format!("t{t}_l{l}"));
            x = state.1.clone();
        }
        let size = labels.to_string();
        let fc =
            named("FullyConnected", &format!("t{t}_cls"), &[&x, &weight, &bias], &[("num_hidden", &size)]);
        let loss = call("softmax_cross_entropy", &[&fc, &var(&format!("t{t}_label"))], &[]);
        losses.push(call("make_loss", &[&loss], &[]));
    }
    Symbol::group(&losses)
}

/// A small network with everything that makes planning hard: batch normalisation, dropout, branches, a value that
/// two layers read, a loss beside another output.
pub fn varied() -> Symbol {
    let x = norm(&conv(&var("data"), 8, 3, 1, 1, true));
    let x = relu(&x);
    let a = call("Dropout", &[&conv(&x, 8, 1, 1, 0, false)], &[("p", "0.25")]);
    let b = norm(&conv(&x, 8, 3, 1, 1, false));
    let x = call("elemwise_add", &[&a, &b], &[]);
    let y = call("Concat", &[&relu(&x), &call("tanh", &[&x], &[])], &[("dim", "1")]);
    let y = call("Flatten", &[&pool(&y, "max", 2, 2, 0)], &[]);
    let hidden = call("Dropout", &[&call("sigmoid", &[&dense(&y, 16)], &[])], &[("p", "0.5")]);
    let loss = softmax(&dense(&hidden, 5));
    let norm = call("sum", &[&call("square", &[&hidden], &[])], &[]);
    Symbol::group(&[loss, call("make_loss", &[&norm], &[]), call("BlockGrad", &[&hidden], &[])])
}
