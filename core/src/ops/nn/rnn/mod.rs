//! Recurrent layers, fused over time.

mod backward;
mod cells;
mod layer;
mod plan;
mod samples;

pub use backward::RnnBackward;

use super::compute::{Compute, read, write};
use crate::ops::family::prelude::*;
use crate::rng::{Params, bernoulli};
use cells::Clip;
use layer::Start;
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
            /// For `lstm`: elements of a state, which is then a projection of the cell's result.
            #[attr(id = 7)]
            pub projection_size: Option<i64>,
            /// For `lstm`, with `lstm_state_clip_max`: the smallest value of a cell.
            #[attr(id = 8)]
            pub lstm_state_clip_min: Option<f64>,
            /// For `lstm`, with `lstm_state_clip_min`: the largest value of a cell.
            #[attr(id = 9)]
            pub lstm_state_clip_max: Option<f64>,
            /// A NaN in a cell becomes `lstm_state_clip_min`; without it this does nothing.
            #[attr(id = 10, default = false)]
            pub lstm_state_clip_nan: bool,
            /// Samples have lengths of their own, in `sequence_length`.
            #[attr(id = 11, default = false)]
            pub use_sequence_length: bool,
        }
        impl $op {
            /// Inputs in front of those of the gradient.
            fn inputs(&self) -> usize {
                3 + self.mode.cells() + usize::from(self.use_sequence_length)
            }

            /// The lengths of the samples.
            fn lengths(&self, k: &Kernel, plan: &Plan) -> Result<Vec<usize>> {
                if self.use_sequence_length {
                    lengths(k, 3 + self.mode.cells(), plan.steps)
                } else {
                    Ok(vec![plan.steps; plan.batch])
                }
            }

            fn plan(&self, data: &Shape) -> Plan {
                Plan {
                    mode: self.mode,
                    layers: self.num_layers as usize,
                    directions: 1 + usize::from(self.bidirectional),
                    steps: data[0] as usize,
                    batch: data[1] as usize,
                    inputs: data[2] as usize,
                    hidden: self.state_size as usize,
                    state: self.projection_size.unwrap_or(self.state_size) as usize,
                    projected: self.projection_size.is_some(),
                    clip: match (self.lstm_state_clip_min, self.lstm_state_clip_max) {
                        (Some(min), Some(max)) => Clip { min, max, nan: self.lstm_state_clip_nan },
                        _ => Clip::NONE,
                    },
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
    ///
    /// With `projection_size` states have that many elements, and each layer and direction has a third weight
    /// (projection_size, state_size) that makes them of the cell's result (Sak et al., 2014). With
    /// `use_sequence_length` a sample ends where its length says: the result is 0 from there on, the last state and
    /// cell are those of its last step, and the second direction begins there. MXNet's CPU build ignores lengths and
    /// the bounds of cells; here they mean what they mean on its GPU.
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

/// Input `i` as numbers of steps of which there are `steps`.
fn lengths(k: &Kernel, i: usize, steps: usize) -> Result<Vec<usize>> {
    let whole = |length: &f64| length.fract() == 0.0 && (0.0..=steps as f64).contains(length);
    let lengths = read::<f64>(k, i);
    match lengths.iter().find(|length| !whole(length)) {
        Some(wrong) => {
            let wrong = err!(InvalidValue, "expected whole numbers from 0 to {steps}, got {wrong}");
            Err(wrong.about("sequence_length"))
        }
        None => Ok(lengths.iter().map(|length| *length as usize).collect()),
    }
}

impl Operator for Rnn {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The data, (steps, n, inputs)."),
            Input::new("parameters", "All weights, then all biases."),
            Input::new("state", "The first states, (layers · directions, n, state_size)."),
            Input::new("state_cell", "The first cells, for `lstm`.").optional(),
            Input::new("sequence_length", "Each sample's number of steps, with `use_sequence_length`.")
                .optional(),
        ];
        let outputs = &["output", "state_output", "statecell_output", "reserve"];
        Meta::new("RNN", inputs).aliases(&["_npx_rnn"]).outputs(outputs)
    }
    fn samples() -> Vec<Sample> {
        samples::samples()
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(self.inputs())
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
        self.check_options()?;
        s.require_ndim(0, 3)?;
        let Some(x) = s.input(0).cloned() else { return Ok(()) };
        let directions = 1 + i64::from(self.bidirectional);
        let size = self.projection_size.unwrap_or(self.state_size);
        for (i, size) in [size, self.state_size].into_iter().take(self.results() - 1).enumerate() {
            let state = Shape::new(&[self.num_layers * directions, x[1], size]);
            s.set_input(2 + i, state.clone())?;
            s.set_output(1 + i, state)?;
        }
        if self.use_sequence_length {
            s.set_input(self.inputs() - 1, Shape::new(&[x[1]]))?;
        }
        s.set_output(0, Shape::new(&[x[0], x[1], directions * size]))?;
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
        if self.use_sequence_length {
            t.require(inputs, DTypes::NUMERIC)?;
        }
        let Some(d) = (0..inputs).find_map(|i| t.input(i)) else { return Ok(()) };
        for i in 0..inputs {
            t.set_input(i, d)?;
            t.require(i, DTypes::FLOAT)?;
        }
        (0..self.results()).try_for_each(|o| t.set_output(o, d))?;
        t.set_output(self.results(), if d == DType::F64 { d } else { DType::F32 })
    }
    fn unread_output(&self, s: &ShapeInfer, o: usize) -> Option<Shape> {
        let plan = self.plan(s.known(0)?);
        (o == self.results()).then(|| Shape::new(&[plan.scratch() as i64]))
    }
    fn draws(&self, s: &ShapeInfer, training: bool) -> u64 {
        match s.known(0) {
            Some(x) if training => self.plan(x).mask_len() as u64,
            _ => 0,
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let plan = self.plan(k.shape(0));
        let lengths = self.lengths(k, &plan)?;
        with_compute!(k.dtype(0), C => self.run::<C>(k, &plan, &lengths));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let n = 3 + self.mode.cells();
        let mut inputs: Vec<Val> = (0..self.inputs()).map(|i| b.input(i)).collect();
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
    /// Refuses options that do not go together.
    fn check_options(&self) -> Result<()> {
        let clip = [self.lstm_state_clip_min, self.lstm_state_clip_max];
        let only = |name| Err(err!(InvalidValue, "expected mode 'lstm' with this option").about(name));
        if let (false, Some(_)) = (self.mode == RnnMode::Lstm, self.projection_size) {
            return only("projection_size");
        }
        if self.mode != RnnMode::Lstm && clip.iter().any(Option::is_some) {
            return only("lstm_state_clip_min");
        }
        match (self.projection_size, clip) {
            (Some(size), _) if size < 1 => {
                Err(err!(InvalidValue, "expected at least 1, got {size}").about("projection_size"))
            }
            (_, [Some(min), Some(max)]) if min > max || min.is_nan() || max.is_nan() => {
                let wrong = err!(InvalidValue, "expected at least lstm_state_clip_min = {min}, got {max}");
                Err(wrong.about("lstm_state_clip_max"))
            }
            (_, [Some(_), None]) => Err(err!(InvalidValue, "missing").about("lstm_state_clip_max")),
            (_, [None, Some(_)]) => Err(err!(InvalidValue, "missing").about("lstm_state_clip_min")),
            _ => Ok(()),
        }
    }

    /// Runs all layers. What the gradient reads is kept if there is room; without, each direction works where the
    /// one before did, and the top layer's result goes where it belongs at once.
    fn run<C: Compute>(&self, k: &Kernel, plan: &Plan, lengths: &[usize]) {
        let reserve = k.output::<C>(self.results());
        let keeps = reserve.len() == plan.reserve();
        let (results, rest) = reserve.split_at_mut(plan.results_len(keeps));
        let (masks, rest) = rest.split_at_mut(plan.mask_len());
        self.fill_masks(k, masks);
        let (data, parameters, h0) = (read::<C>(k, 0), read::<C>(k, 1), read::<C>(k, 2));
        let c0 =
            if self.mode == RnnMode::Lstm { read::<C>(k, 3) } else { std::borrow::Cow::Borrowed(&[][..]) };
        let mut last = (h0.to_vec(), c0.to_vec());
        write::<C>(k, 0, |top| {
            for l in 0..plan.layers {
                let (below, own) = results.split_at_mut((l * plan.result_len()).min(results.len()));
                let y = if own.is_empty() { &mut *top } else { own };
                for d in 0..plan.directions {
                    let j = l * plan.directions + d;
                    let kept = &mut rest[if keeps { j * plan.kept_len() } else { 0 }..][..plan.kept_len()];
                    let (sizes, p) = (plan.sizes(l, d), plan.places(l, d).of(&parameters));
                    let (gates, extra) = kept.split_at_mut(plan.steps * plan.batch * sizes.gates());
                    // Where results are not in the reserve, the one below is where this one will be.
                    let below = if below.is_empty() { &*y } else { &*below };
                    layer::data_to_gates(&sizes, &plan.layer_data(l, &data, below, masks), &p, gates);
                    let start = Start { h0: plan.states(j, &h0), c0: plan.cells(j, &c0), lengths };
                    let y = &mut y[d * plan.state..plan.result_len()];
                    layer::forward(&sizes, &p, &start, layer::Kept { gates, extra: &mut *extra }, y);
                    plan.last_states(l, d, lengths, (y, extra), (&mut last.0, &mut last.1));
                }
            }
            if keeps {
                top.copy_from_slice(&results[(plan.layers - 1) * plan.result_len()..]);
            }
        });
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
