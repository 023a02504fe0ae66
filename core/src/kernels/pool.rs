//! Pooling in one to three dimensions and its gradients, over planes of (\[D,\] \[H,\] W), with MXNet's semantics.
//!
//! A plane is one channel of one sample. Windows are cut to the input. An average divides by the window's size inside
//! the padded input if padding counts, else by its size inside the input. The gradient of a maximum goes to the
//! first element that equals it.

mod max;
#[cfg(test)]
mod tests;

pub use max::{Max, MaxElement, max_pool, max_pool_backward, relu_max_pool};

use super::Shared;
use super::math::Real;
use crate::parallel::for_each_range;
use std::ops::Range;

/// How the output's size follows from the input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Convention {
    /// Only whole windows: rounds down.
    Valid,
    /// Every element is in a window: rounds up.
    Full,
    /// One window per step, whatever the window's size.
    Same,
}

impl Convention {
    /// The output's size along an axis.
    pub fn output(self, input: usize, kernel: usize, stride: usize, pad: usize) -> usize {
        let room = input + 2 * pad;
        match self {
            Convention::Same => room.div_ceil(stride),
            _ if room < kernel => 0,
            Convention::Valid => (room - kernel) / stride + 1,
            Convention::Full => (room - kernel).div_ceil(stride) + 1,
        }
    }
}

/// What is computed over a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Pooling {
    /// Largest element.
    Max,
    /// Average.
    Avg {
        /// Whether padding counts as elements.
        count_include_pad: bool,
    },
    /// Sum.
    Sum,
    /// p-th root of the sum of p-th powers, for p of 1, 2 or 3.
    Lp(u8),
}

/// The sizes of a pooling. There are always three axes; missing ones have size 1 in front.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PoolGeometry {
    /// Samples times channels.
    pub planes: usize,
    /// Size of a plane of the input.
    pub input: [usize; 3],
    /// Size of a plane of the output.
    pub output: [usize; 3],
    /// Size of the window.
    pub kernel: [usize; 3],
    /// Step of the window.
    pub stride: [usize; 3],
    /// Padding in front of each axis, and behind.
    pub pad: [usize; 3],
}

impl PoolGeometry {
    /// The geometry over one to three axes.
    pub fn new(
        planes: usize,
        input: &[usize],
        kernel: &[usize],
        stride: &[usize],
        pad: &[usize],
        convention: Convention,
    ) -> PoolGeometry {
        let n = input.len();
        debug_assert!((1..=3).contains(&n) && [kernel, stride, pad].iter().all(|v| v.len() == n));
        let mut g = PoolGeometry {
            planes,
            input: [1; 3],
            output: [1; 3],
            kernel: [1; 3],
            stride: [1; 3],
            pad: [0; 3],
        };
        for i in 0..n {
            let a = 3 - n + i;
            (g.input[a], g.kernel[a], g.stride[a], g.pad[a]) = (input[i], kernel[i], stride[i], pad[i]);
            g.output[a] = convention.output(input[i], kernel[i], stride[i], pad[i]);
        }
        g
    }

    /// Elements of a plane of the input.
    fn input_size(&self) -> usize {
        self.input.iter().product()
    }

    /// Elements of a plane of the output.
    fn output_size(&self) -> usize {
        self.output.iter().product()
    }

    /// The window of output `o` along axis `a`, inside the input.
    #[inline(always)]
    fn window(&self, a: usize, o: usize) -> Range<usize> {
        let start = o * self.stride[a];
        let end = (start + self.kernel[a]).saturating_sub(self.pad[a]).min(self.input[a]);
        start.saturating_sub(self.pad[a]).min(end)..end
    }

    /// Size of the window of output `o` along axis `a` inside the padded input.
    #[inline(always)]
    fn padded(&self, a: usize, o: usize) -> usize {
        self.kernel[a].min((self.input[a] + 2 * self.pad[a]).saturating_sub(o * self.stride[a]))
    }

    /// Number of elements that an average divides by.
    #[inline(always)]
    fn count(&self, kind: Pooling, [z, y, x]: [usize; 3]) -> usize {
        match kind {
            Pooling::Avg { count_include_pad: true } => {
                (self.padded(0, z) * self.padded(1, y) * self.padded(2, x)).max(1)
            }
            Pooling::Avg { .. } => {
                (self.window(0, z).len() * self.window(1, y).len() * self.window(2, x).len()).max(1)
            }
            _ => 1,
        }
    }

    /// The outputs along the last axis whose window has an element of the input at its place `k`.
    #[inline(always)]
    fn reached(&self, k: usize) -> Range<usize> {
        let (s, p, n) = (self.stride[2], self.pad[2], self.input[2]);
        let first = p.saturating_sub(k).div_ceil(s);
        let end = if n + p > k { (n + p - k).div_ceil(s) } else { 0 };
        first.min(self.output[2])..end.min(self.output[2]).max(first.min(self.output[2]))
    }

    /// Calls `f(plane)` for all planes, in parallel.
    fn for_each_plane(&self, f: impl Fn(usize) + Sync) {
        let work = self.output_size() * self.kernel.iter().product::<usize>();
        for_each_range(self.planes, (1usize << 15).div_ceil(work.max(1)), |range| range.for_each(&f));
    }

    fn check(&self, input: usize, output: usize) {
        debug_assert!(self.stride.iter().chain(&self.kernel).all(|s| *s > 0));
        debug_assert_eq!(input, self.planes * self.input_size());
        debug_assert_eq!(output, self.planes * self.output_size());
    }
}

/// Writes the pooling of `x` to `y`.
pub fn pool<T: Real + MaxElement>(g: &PoolGeometry, kind: Pooling, x: &[T], y: &mut [T]) {
    if kind == Pooling::Max {
        return max_pool(g, x, y);
    }
    g.check(x.len(), y.len());
    let (size_in, size_out) = (g.input_size(), g.output_size());
    let y = Shared::new(y);
    g.for_each_plane(|plane| {
        // SAFETY: each plane is written by one call.
        let y = unsafe { y.slice(plane * size_out, size_out) };
        sum_plane(*g, kind, &x[plane * size_in..][..size_in], y);
    });
}

/// Writes the gradient of the input of [`pool`], whose result is `y`, for the result's gradient `dy` to `dx`, or adds
/// it to what is there.
pub fn pool_backward<T: Real + MaxElement>(
    g: &PoolGeometry,
    kind: Pooling,
    x: &[T],
    y: &[T],
    dy: &[T],
    dx: &mut [T],
    accumulate: bool,
) {
    if kind == Pooling::Max {
        return max_pool_backward(g, Max { relu: false, accumulate }, Some(x), y, dy, dx);
    }
    g.check(dx.len(), dy.len());
    let (size_in, size_out) = (g.input_size(), g.output_size());
    let dx = Shared::new(dx);
    g.for_each_plane(|plane| {
        let (from, to) = (plane * size_in..(plane + 1) * size_in, plane * size_out..(plane + 1) * size_out);
        // SAFETY: each plane is written by one call.
        let dx = unsafe { dx.slice(from.start, size_in) };
        if !accumulate {
            dx.fill(T::ZERO);
        }
        match kind {
            Pooling::Lp(2..) => lp_plane_backward(g, kind, &x[from], &y[to.clone()], &dy[to], dx),
            _ => sum_plane_backward(*g, kind, &dy[to], dx),
        }
    });
}

/// Calls `f(output row, input row, place in the window)` for every pair of rows of a plane that meet; the output's row
/// is its first element's position.
#[inline(always)]
fn each_row(g: &PoolGeometry, mut f: impl FnMut(usize, usize)) {
    let ([_, ih, iw], [od, oh, ow]) = (g.input, g.output);
    for oz in 0..od {
        for oy in 0..oh {
            for z in g.window(0, oz) {
                for y in g.window(1, oy) {
                    f((oz * oh + oy) * ow, (z * ih + y) * iw);
                }
            }
        }
    }
}

/// For each place in the window, calls `f(outputs, first input)`: output `o` meets input `first + (o - start) * stride`.
#[inline(always)]
fn each_place(g: &PoolGeometry, mut f: impl FnMut(Range<usize>, usize)) {
    for k in 0..g.kernel[2] {
        let reached = g.reached(k);
        if !reached.is_empty() {
            let first = reached.start * g.stride[2] + k - g.pad[2];
            f(reached, first);
        }
    }
}

crate::simd_fn! {
    fn sum_plane<T: Real>(g: PoolGeometry, kind: Pooling, x: &[T], y: &mut [T]) {
        y.fill(T::ZERO);
        each_row(&g, |o, i| {
            let (row, from) = (&mut y[o..o + g.output[2]], &x[i..i + g.input[2]]);
            each_place(&g, |out, first| {
                let (row, from) = (&mut row[out], &from[first..]);
                match kind {
                    Pooling::Lp(2) => zip(row, from, g.stride[2], |y, x| *y += x * x),
                    Pooling::Lp(3) => zip(row, from, g.stride[2], |y, x| *y += x * x * x),
                    _ => zip(row, from, g.stride[2], |y, x| *y += x),
                }
            });
        });
        let [_, oh, ow] = g.output;
        match kind {
            Pooling::Avg { .. } => for (i, row) in y.chunks_exact_mut(ow.max(1)).enumerate() {
                for (o, y) in row.iter_mut().enumerate() {
                    *y = *y / T::from_f64(g.count(kind, [i / oh, i % oh, o]) as f64);
                }
            },
            Pooling::Lp(2) => y.iter_mut().for_each(|y| *y = y.sqrt()),
            Pooling::Lp(3) => y.iter_mut().for_each(|y| *y = T::from_f64(y.to_f64().cbrt())),
            _ => {}
        }
    }

    fn sum_plane_backward<T: Real>(g: PoolGeometry, kind: Pooling, dy: &[T], dx: &mut [T]) {
        let ([_, ih, iw], [_, oh, ow]) = (g.input, g.output);
        for (i, dy) in dy.chunks_exact(ow.max(1)).enumerate() {
            for (o, d) in dy.iter().enumerate() {
                let d = *d / T::from_f64(g.count(kind, [i / oh, i % oh, o]) as f64);
                let x = g.window(2, o);
                for z in g.window(0, i / oh) {
                    for y in g.window(1, i % oh) {
                        for dx in &mut dx[(z * ih + y) * iw..][x.clone()] {
                            *dx += d;
                        }
                    }
                }
            }
        }
    }
}

/// Calls `f` for every element of `y` and the element of `x`, `step` apart, that it meets.
#[inline(always)]
fn zip<T: Copy>(y: &mut [T], x: &[T], step: usize, mut f: impl FnMut(&mut T, T)) {
    // Fixed steps let the loop be vectorised.
    match step {
        1 => y.iter_mut().zip(x).for_each(|(y, x)| f(y, *x)),
        2 => {
            let last = y.len() - 1;
            y[..last].iter_mut().zip(x.chunks_exact(2)).for_each(|(y, x)| f(y, x[0]));
            f(&mut y[last], x[2 * last]);
        }
        _ => y.iter_mut().zip(x.iter().step_by(step)).for_each(|(y, x)| f(y, *x)),
    }
}

/// d y / d x is (x / y) to the power p - 1; it is taken as 0 where y is 0.
fn lp_plane_backward<T: Real>(g: &PoolGeometry, kind: Pooling, x: &[T], y: &[T], dy: &[T], dx: &mut [T]) {
    let ([_, ih, iw], [_, oh, ow]) = (g.input, g.output);
    for (i, d) in dy.iter().enumerate().filter(|(i, _)| y[*i] != T::ZERO) {
        for z in g.window(0, i / (oh * ow)) {
            for r in g.window(1, i / ow % oh) {
                for c in g.window(2, i % ow) {
                    let at = (z * ih + r) * iw + c;
                    let ratio = x[at] / y[i];
                    dx[at] += *d * if kind == Pooling::Lp(2) { ratio } else { ratio * ratio };
                }
            }
        }
    }
}
