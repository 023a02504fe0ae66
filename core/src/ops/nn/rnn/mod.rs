//! Recurrent layers, fused over time.

mod backward;
mod cells;
mod layer;
mod plan;

pub use backward::RnnBackward;

use super::compute::{Compute, read, write};
use crate::ops::family::prelude::*;
use crate::rng::{Params, bernoulli};
use layer::Parameters;
use plan::Plan;

/// A recurrent cell.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum RnnMode {
    /// Gated recurrent unit.
    Gru,
    /// Long short-term memory.
    Lstm,
    /// A plain cell with max(x, 0).
    RnnRelu,
    /// A plain cell with the hyperbolic tangent.
    RnnTanh,
}

impl RnnMode {
    /// Number of gates.
    pub fn gates(self) -> usize {
        match self {
            RnnMode::Gru => 3,
            RnnMode::Lstm => 4,
            RnnMode::RnnRelu | RnnMode::RnnTanh => 1,
        }
    }

    /// 1 if there is a cell besides the state.
    fn cells(self) -> usize {
        usize::from(self == RnnMode::Lstm)
    }
}

macro_rules! rnn {
    ($($(#[doc = $doc:literal])* $op:ident),*) => {$(
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// Elements of a state.
            #[attr(id = 1, min = 1)]
            pub state_size: i64,
            /// Layers on top of each other.
            #[attr(id = 2, min = 1)]
            pub num_layers: i64,
            /// Run in both directions and join the results.
            #[attr(id = 3, default = false)]
            pub bidirectional: bool,
            /// The cell.
            #[attr(id = 4)]
            pub mode: RnnMode,
            /// Share of the elements between layers that are dropped in training.
            #[attr(id = 5, default = 0.0, min = 0.0, max = 1.0)]
            pub p: f64,
            /// Give the last states as well.
            #[attr(id = 6, default = false)]
            pub state_outputs: bool,
            /// Not supported.
            #[attr(id = 7)]
            pub projection_size: Option<i64>,
            /// Not supported.
            #[attr(id = 8)]
            pub lstm_state_clip_min: Option<f64>,
            /// Not supported.
            #[attr(id = 9)]
            pub lstm_state_clip_max: Option<f64>,
            /// Not supported.
            #[attr(id = 10, default = false)]
            pub lstm_state_clip_nan: bool,
            /// Not supported.
            #[attr(id = 11, default = false)]
            pub use_sequence_length: bool,
        }
        impl $op {
            fn plan(&self, data: &Shape) -> Plan {
                Plan {
                    mode: self.mode,
                    layers: self.num_layers as usize,
                    directions: 1 + usize::from(self.bidirectional),
                    steps: data[0] as usize,
                    batch: data[1] as usize,
                    inputs: data[2] as usize,
                    hidden: self.state_size as usize,
                    masks: self.p > 0.0 && self.num_layers > 1,
                }
            }
        }
    )*};
}
use rnn;

rnn! {
    /// Recurrent layers: LSTM, GRU or plain cells, in one or both directions, on top of each other.
    ///
    /// Data is (steps, n, inputs), the result (steps, n, directions · state_size), states and cells are
    /// (layers · directions, n, state_size). All parameters are one vector: for each layer and direction the weight
    /// for the data (gates · state_size, inputs) and that for the state (gates · state_size, state_size), then for
    /// each layer and direction the bias for the data and that for the state. Gates are input, forget, cell, output
    /// for `lstm` and reset, update, new for `gru`. Methods: Hochreiter, Schmidhuber, «Long Short-Term Memory», 1997;
    /// Cho et al., 2014.
    Rnn
}

impl Rnn {
    fn backward(&self) -> RnnBackward {
        let a = self.clone();
        RnnBackward {
            state_size: a.state_size,
            num_layers: a.num_layers,
            bidirectional: a.bidirectional,
            mode: a.mode,
            p: a.p,
            state_outputs: a.state_outputs,
            projection_size: a.projection_size,
            lstm_state_clip_min: a.lstm_state_clip_min,
            lstm_state_clip_max: a.lstm_state_clip_max,
            lstm_state_clip_nan: a.lstm_state_clip_nan,
            use_sequence_length: a.use_sequence_length,
        }
    }

    /// Outputs before what is kept for the gradient.
    fn results(&self) -> usize {
        2 + self.mode.cells()
    }
}

/// Samples: sizes (steps, n, inputs), state size, layers, directions.
fn sample(
    name: &'static str,
    mode: &'static str,
    (t, n, i): (i64, i64, i64),
    h: i64,
    l: i64,
    d: i64,
) -> Sample {
    let gates = match mode {
        "lstm" => 4,
        "gru" => 3,
        _ => 1,
    };
    let above = if l > 1 { (l - 1) * (d * h + h + 2) } else { 0 };
    let parameters = gates * h * d * (i + h + 2 + above);
    let s = Sample::new(name).grid(&[t, n, i], -1.0, 1.0).grid(&[parameters], -0.75, 0.75);
    let s = s.grid(&[l * d, n, h], -1.0, 1.0).attr("mode", mode).attr("state_size", h).attr("num_layers", l);
    let s = if d == 2 { s.attr("bidirectional", true) } else { s };
    let s = if mode == "lstm" { s.grid(&[l * d, n, h], -1.0, 1.0) } else { s };
    s.tolerance(8.0)
}

impl Operator for Rnn {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data, (steps, n, inputs)."),
            Input::new("parameters", "All weights, then all biases."),
            Input::new("state", "The first states, (layers · directions, n, state_size)."),
            Input::new("state_cell", "The first cells, for `lstm`.").optional(),
        ];
        let outputs = &["output", "state_output", "statecell_output", "reserve"];
        Meta::new("RNN", inputs).aliases(&["_npx_rnn"]).outputs(outputs)
    }
    fn samples() -> Vec<Sample> {
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
            sample("lengths", "lstm", small, 3, 1, 1)
                .attr("use_sequence_length", true)
                .fails(ErrorCode::Unsupported),
            sample("a projection", "lstm", small, 3, 1, 1)
                .attr("projection_size", 2)
                .fails(ErrorCode::Unsupported),
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
    fn num_inputs(&self) -> Option<usize> {
        Some(3 + self.mode.cells())
    }
    fn num_outputs(&self) -> usize {
        self.results() + 1
    }
    fn num_listed_outputs(&self) -> usize {
        self.num_visible_outputs()
    }
    fn num_visible_outputs(&self) -> usize {
        if self.state_outputs { self.results() } else { 1 }
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        self.supported()?;
        s.require_ndim(0, 3)?;
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        let directions = 1 + i64::from(self.bidirectional);
        let state = Shape::new(&[self.num_layers * directions, x[1], self.state_size]);
        (2..3 + self.mode.cells()).try_for_each(|i| s.set_input(i, state.clone()))?;
        s.set_output(0, Shape::new(&[x[0], x[1], directions * self.state_size]))?;
        (1..self.results()).try_for_each(|o| s.set_output(o, state.clone()))?;
        if x[2] >= 0 {
            let known: Shape = x.iter().map(|d| (*d).max(0)).collect();
            s.set_input(1, Shape::new(&[self.plan(&known).parameters() as i64]))?;
        }
        if x.is_known() {
            s.set_output(self.results(), Shape::new(&[self.plan(&x).reserve() as i64]))?;
        }
        Ok(())
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        let inputs = 3 + self.mode.cells();
        let Some(d) = (0..inputs).find_map(|i| t.input(i)) else { return Ok(()) };
        for i in 0..inputs {
            t.set_input(i, d)?;
            t.require(i, DTypes::FLOAT)?;
        }
        (0..self.results()).try_for_each(|o| t.set_output(o, d))?;
        t.set_output(self.results(), if d == DType::F64 { d } else { DType::F32 })
    }
    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        match s.known(0) {
            Some(x) if training => self.plan(x).mask_len() as u64,
            _ => 0,
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let plan = self.plan(k.shape(0));
        with_compute!(k.dtype(0), C => self.run::<C>(k, &plan));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let n = 3 + self.mode.cells();
        let mut inputs: Vec<Val> = (0..n).map(|i| b.input(i)).collect();
        inputs.extend([b.output(self.results()), b.out_grad(0)]);
        if self.state_outputs {
            inputs.extend((1..self.results()).map(|o| b.out_grad(o)));
        }
        let grads = b.apply_all(self.backward(), &inputs);
        (0..n).for_each(|i| b.set_grad(i, grads[i]));
        Ok(())
    }
    fn flops(&self, s: &ShapeInfer) -> u64 {
        s.known(0).map_or(0, |x| 2 * (x[0] * x[1]) as u64 * self.plan(x).parameters() as u64)
    }
    fn cost(&self, s: &ShapeInfer) -> usize {
        s.known(0).map_or(0, |x| (x[0] * x[1]) as usize * self.plan(x).parameters() / 8)
    }
}

impl Rnn {
    fn supported(&self) -> Result<()> {
        let clip = self.lstm_state_clip_min.is_some() || self.lstm_state_clip_max.is_some();
        for (name, asked) in [
            ("projection_size", self.projection_size.is_some()),
            ("use_sequence_length", self.use_sequence_length),
            ("lstm_state_clip_min", clip || self.lstm_state_clip_nan),
        ] {
            if asked {
                return Err(err!(Unsupported, "this is not supported on the CPU").about(name));
            }
        }
        Ok(())
    }

    fn run<C: Compute>(&self, k: &Kernel, plan: &Plan) {
        let reserve = k.output::<C>(self.results());
        let (results, rest) = reserve.split_at_mut(plan.layers * plan.result_len());
        let (masks, mut rest) = rest.split_at_mut(plan.mask_len());
        self.fill_masks(k, masks);
        let (data, parameters, h0) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
        let c0 =
            if self.mode == RnnMode::Lstm { read::<C>(k, 3) } else { std::borrow::Cow::Borrowed(&[][..]) };
        let state = plan.batch * plan.hidden;
        let mut last = (vec![C::ZERO; h0.len()], vec![C::ZERO; c0.len()]);
        for l in 0..plan.layers {
            let (below, y) = results.split_at_mut(l * plan.result_len());
            let x = plan.layer_data(l, &data, below, masks);
            for d in 0..plan.directions {
                let (sizes, j) = (plan.sizes(l, d), l * plan.directions + d);
                let (kept, others) = std::mem::take(&mut rest).split_at_mut(plan.kept_len());
                rest = others;
                let (gates, extra) = kept.split_at_mut(plan.steps * plan.batch * sizes.gates());
                let p = plan.places(l, d);
                let p = Parameters {
                    w_x: &parameters[p.w_x],
                    w_h: &parameters[p.w_h],
                    b_x: &parameters[p.b_x],
                    b_h: &parameters[p.b_h],
                };
                let h0 = &h0[j * state..(j + 1) * state];
                let c0 = if c0.is_empty() { &[][..] } else { &c0[j * state..(j + 1) * state] };
                let end = if d == 0 { plan.steps - 1 } else { 0 };
                let y = &mut y[d * plan.hidden..plan.result_len()];
                layer::forward(&sizes, &x, &p, (h0, c0), layer::Kept { gates, extra: &mut *extra }, y);
                if !c0.is_empty() {
                    last.1[j * state..(j + 1) * state]
                        .copy_from_slice(&extra[end * state..(end + 1) * state]);
                }
                for (i, h) in last.0[j * state..(j + 1) * state].chunks_exact_mut(plan.hidden).enumerate() {
                    h.copy_from_slice(&y[(end * plan.batch + i) * sizes.width..][..plan.hidden]);
                }
            }
        }
        let top = &results[(plan.layers - 1) * plan.result_len()..];
        write::<C>(k, 0, |y| y.copy_from_slice(top));
        write::<C>(k, 1, |h| h.copy_from_slice(&last.0));
        if !c0.is_empty() {
            write::<C>(k, 2, |c| c.copy_from_slice(&last.1));
        }
    }

    fn fill_masks<C: Compute>(&self, k: &Kernel, masks: &mut [C]) {
        let stays = 1.0 - self.p;
        if !k.training {
            masks.fill(C::ONE);
        } else if !masks.is_empty() {
            let on = if stays > 0.0 { 1.0 / stays } else { 0.0 };
            bernoulli(k.random, masks, Params::same(&[stays]), C::from_f64(on));
        }
    }
}
