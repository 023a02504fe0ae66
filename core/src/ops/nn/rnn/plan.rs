//! Where the parts of recurrent layers lie in their arrays.

use super::RnnMode;
use super::cells::Clip;
use super::layer::{Parameters, Sizes};
use crate::ops::nn::compute::Compute;
use std::borrow::Cow;
use std::ops::Range;

/// The sizes of all layers. What is kept for the gradient is one array: the results of all layers, the masks
/// between them, and for each layer and direction the gates and the cells.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub mode: RnnMode,
    pub layers: usize,
    pub directions: usize,
    pub steps: usize,
    pub batch: usize,
    pub inputs: usize,
    /// Elements of a cell.
    pub hidden: usize,
    /// Elements of a state: those of a cell, or of its projection.
    pub state: usize,
    /// States are projections.
    pub projected: bool,
    pub clip: Clip,
    /// Elements are dropped between layers.
    pub masks: bool,
}

impl Plan {
    /// Elements of a layer's result.
    pub fn result_len(&self) -> usize {
        self.steps * self.batch * self.directions * self.state
    }

    /// Elements of all masks.
    pub fn mask_len(&self) -> usize {
        if self.masks { (self.layers - 1) * self.result_len() } else { 0 }
    }

    /// Elements that a direction of a layer keeps.
    pub fn kept_len(&self) -> usize {
        let extra = usize::from(matches!(self.mode, RnnMode::Lstm | RnnMode::Gru));
        self.steps * self.batch * self.hidden * (self.mode.gates() + extra)
    }

    /// Elements of all that is kept.
    pub fn reserve(&self) -> usize {
        self.layers * (self.result_len() + self.directions * self.kept_len()) + self.mask_len()
    }

    /// Elements of the results of layers that lie in the reserve: of all if that is kept, else of all but the top
    /// layer; of none with one direction, as each layer is done with the one below before it has a result.
    pub fn results_len(&self, kept: bool) -> usize {
        match (kept, self.directions) {
            (true, _) => self.layers * self.result_len(),
            (false, 1) => 0,
            (false, _) => (self.layers - 1) * self.result_len(),
        }
    }

    /// Elements that suffice where nothing is kept.
    pub fn scratch(&self) -> usize {
        self.results_len(false) + self.mask_len() + self.kept_len()
    }

    /// Copies the states and cells of the samples' last steps in direction `d` of layer `l`, whose result and cells
    /// are `made`, to their places in `last`.
    pub fn last_states<C: Copy>(
        &self,
        l: usize,
        d: usize,
        lengths: &[usize],
        (y, cells): (&[C], &[C]),
        last: (&mut [C], &mut [C]),
    ) {
        let (sizes, j) = (self.sizes(l, d), l * self.directions + d);
        for (i, length) in lengths.iter().enumerate() {
            let Some(end) = sizes.end(*length) else { continue };
            let (sample, at) = (end * self.batch + i, j * self.batch + i);
            last.0[at * self.state..][..self.state].copy_from_slice(&y[sample * sizes.width..][..self.state]);
            if !last.1.is_empty() {
                last.1[at * self.hidden..][..self.hidden]
                    .copy_from_slice(&cells[sample * self.hidden..][..self.hidden]);
            }
        }
    }

    /// The sizes of direction `d` of layer `l`.
    pub fn sizes(&self, l: usize, d: usize) -> Sizes {
        Sizes {
            mode: self.mode,
            steps: self.steps,
            batch: self.batch,
            inputs: self.layer_inputs(l),
            hidden: self.hidden,
            state: self.state,
            clip: self.clip,
            width: self.directions * self.state,
            reverse: d == 1,
        }
    }

    fn layer_inputs(&self, l: usize) -> usize {
        if l == 0 { self.inputs } else { self.directions * self.state }
    }

    /// Elements of the weights of one direction of a layer.
    fn weights(&self, l: usize) -> usize {
        let gates = self.mode.gates() * self.hidden;
        gates * (self.layer_inputs(l) + self.state) + self.projection()
    }

    /// Elements of the weight that makes a state of a cell's result; 0 where that is the state.
    fn projection(&self) -> usize {
        if self.projected { self.state * self.hidden } else { 0 }
    }

    /// Elements of all parameters.
    pub fn parameters(&self) -> usize {
        let biases = 2 * self.mode.gates() * self.hidden;
        (0..self.layers).map(|l| self.directions * (self.weights(l) + biases)).sum()
    }

    /// Where the parameters of direction `d` of layer `l` lie.
    pub fn places(&self, l: usize, d: usize) -> Parameters<Range<usize>> {
        let gates = self.mode.gates() * self.hidden;
        let all: usize = (0..self.layers).map(|l| self.directions * self.weights(l)).sum();
        let below: usize = (0..l).map(|l| self.directions * self.weights(l)).sum();
        let w_x = below + d * self.weights(l);
        let w_h = w_x + gates * self.layer_inputs(l);
        let w_r = w_h + gates * self.state;
        let b_x = all + (l * self.directions + d) * 2 * gates;
        Parameters {
            w_x: w_x..w_h,
            w_h: w_h..w_r,
            w_r: w_r..w_r + self.projection(),
            b_x: b_x..b_x + gates,
            b_h: b_x + gates..b_x + 2 * gates,
        }
    }

    /// The states of layer and direction `j` in those of all.
    pub fn states<'a, C>(&self, j: usize, all: &'a [C]) -> &'a [C] {
        let len = self.batch * self.state;
        &all[j * len..(j + 1) * len]
    }

    /// The cells of layer and direction `j` in those of all; none if there are none.
    pub fn cells<'a, C>(&self, j: usize, all: &'a [C]) -> &'a [C] {
        let len = if all.is_empty() { 0 } else { self.batch * self.hidden };
        &all[j * len..(j + 1) * len]
    }

    /// The data of layer `l`: that of the whole, or the result of the layer below, which comes last in `results`, with
    /// elements dropped.
    pub fn layer_data<'a, C: Compute>(
        &self,
        l: usize,
        data: &'a [C],
        results: &'a [C],
        masks: &[C],
    ) -> Cow<'a, [C]> {
        if l == 0 {
            return Cow::Borrowed(data);
        }
        let below = &results[results.len() - self.result_len()..];
        if !self.masks {
            return Cow::Borrowed(below);
        }
        let masks = &masks[(l - 1) * self.result_len()..l * self.result_len()];
        Cow::Owned(below.iter().zip(masks).map(|(x, m)| *x * *m).collect())
    }
}

impl Parameters<Range<usize>> {
    /// The parameters that lie in these places.
    pub fn of<C>(self, all: &[C]) -> Parameters<&[C]> {
        Parameters {
            w_x: &all[self.w_x],
            w_h: &all[self.w_h],
            w_r: &all[self.w_r],
            b_x: &all[self.b_x],
            b_h: &all[self.b_h],
        }
    }

    /// [`Parameters::of`] to be written.
    pub fn of_mut<C>(self, all: &mut [C]) -> Parameters<&mut [C]> {
        let (weights, biases) = all.split_at_mut(self.b_x.start);
        let (w_x, rest) = weights[self.w_x.start..self.w_r.end].split_at_mut(self.w_x.len());
        let (w_h, w_r) = rest.split_at_mut(self.w_h.len());
        let (b_x, b_h) = biases[..self.b_h.end - self.b_x.start].split_at_mut(self.b_x.len());
        Parameters { w_x, w_h, w_r, b_x, b_h }
    }
}
