//! The largest element of each window, and its gradient.
//!
//! Rows of a plane are short. So that loops are long, all rows of a plane that meet one row of the window are laid
//! next to each other, padded so that every window lies inside: see [`Wide`].

use super::{PoolGeometry, each_place, zip};
use crate::dtype::Element;
use crate::kernels::Shared;
use crate::kernels::math::Real;

/// A dtype that has a maximum over a window.
pub trait MaxElement: Element {
    /// The maximum over nothing.
    const LOWEST: Self;
}
macro_rules! max_element {
    ($($t:ty => $low:expr),*) => {$( impl MaxElement for $t { const LOWEST: $t = $low; } )*};
}
max_element!(f32 => f32::NEG_INFINITY, f64 => f64::NEG_INFINITY, i64 => i64::MIN, i32 => i32::MIN,
    i8 => i8::MIN, u8 => 0);

/// Writes the largest element of each window to `y`.
pub fn max_pool<T: MaxElement>(g: &PoolGeometry, x: &[T], y: &mut [T]) {
    each_plane(g, x, y, |x, y| max_plane(g, T::LOWEST, x, y));
}

/// Writes the largest max(x, 0) of each window to `y`.
pub fn relu_max_pool<T: Real + MaxElement>(g: &PoolGeometry, x: &[T], y: &mut [T]) {
    each_plane(g, x, y, |x, y| max_plane(g, T::ZERO, x, y));
}

fn each_plane<T: MaxElement>(g: &PoolGeometry, x: &[T], y: &mut [T], f: impl Fn(&[T], &mut [T]) + Sync) {
    g.check(x.len(), y.len());
    let (size_in, size_out) = (g.input_size(), g.output_size());
    let y = Shared::new(y);
    g.for_each_plane(|plane| {
        // SAFETY: each plane is written by one call.
        f(&x[plane * size_in..][..size_in], unsafe { y.slice(plane * size_out, size_out) });
    });
}

/// What the gradient of a maximum does besides.
#[derive(Clone, Copy, Debug, Default)]
pub struct Max {
    /// The maximum is that of [`relu_max_pool`].
    pub relu: bool,
    /// Adds to what is there.
    pub accumulate: bool,
}

/// The gradient of the input of [`max_pool`], whose result is `y`. Without `x` the input is in `dx`, and the gradient
/// is written over it.
pub fn max_pool_backward<T: Real + MaxElement>(
    g: &PoolGeometry,
    how: Max,
    x: Option<&[T]>,
    y: &[T],
    dy: &[T],
    dx: &mut [T],
) {
    g.check(dx.len(), dy.len());
    let (size_in, size_out) = (g.input_size(), g.output_size());
    let dx = Shared::new(dx);
    g.for_each_plane(|plane| {
        let (from, to) = (plane * size_in..(plane + 1) * size_in, plane * size_out..(plane + 1) * size_out);
        // SAFETY: each plane is written by one call.
        let dx = unsafe { dx.slice(from.start, size_in) };
        max_plane_backward(g, how, x.map(|x| &x[from]), &y[to.clone()], &dy[to], dx);
    });
}

/// All rows of a plane's output next to each other, `pitch` apart; the rows of the input that one row of the window
/// meets, `stride` times as far apart, begin with their padding.
#[derive(Clone, Copy)]
struct Wide {
    rows: usize,
    pitch: usize,
    step: usize,
    window: usize,
    pad: usize,
}

impl Wide {
    #[inline(always)]
    fn new(g: &PoolGeometry) -> Wide {
        let (step, window) = (g.stride[2], g.kernel[2]);
        let pitch = g.output[2] + window.saturating_sub(step).div_ceil(step);
        Wide { rows: g.output[0] * g.output[1], pitch, step, window, pad: g.pad[2] }
    }

    /// False if more of the work would be between rows than in them.
    fn pays(&self, g: &PoolGeometry) -> bool {
        g.output[2] > 0 && self.pitch <= 2 * g.output[2]
    }

    fn outputs(&self) -> usize {
        self.rows * self.pitch
    }

    fn inputs(&self) -> usize {
        self.outputs() * self.step + self.window
    }

    /// The elements of an input's row that are at most needed, and where those of output row `r` begin.
    #[inline(always)]
    fn place(&self, r: usize, input: usize) -> (usize, usize) {
        let pitch = self.pitch * self.step;
        (input.min(pitch - self.pad), r * pitch + self.pad)
    }
}

/// The row of the input that row `k` of the window of output row `r` is, if it is inside: its first element.
#[inline(always)]
fn input_row(g: &PoolGeometry, r: usize, [kz, ky]: [usize; 2]) -> Option<usize> {
    let (oz, oy) = (r / g.output[1], r % g.output[1]);
    let z = (oz * g.stride[0] + kz).checked_sub(g.pad[0]).filter(|z| *z < g.input[0])?;
    let y = (oy * g.stride[1] + ky).checked_sub(g.pad[1]).filter(|y| *y < g.input[1])?;
    Some((z * g.input[1] + y) * g.input[2])
}

/// The larger; NaN if either is.
#[inline(always)]
fn larger<T: PartialOrd + Copy>(a: T, b: T) -> T {
    if a > b || a.partial_cmp(&a).is_none() { a } else { b }
}

crate::simd_fn! {
    /// The maxima of a plane's windows, where no element counts as less than `floor`.
    fn max_plane<T: MaxElement>(g: &PoolGeometry, floor: T, x: &[T], y: &mut [T]) {
        let wide = Wide::new(g);
        if !wide.pays(g) {
            return max_rows(g, floor, x, y);
        }
        // The largest of each column of the window, then of these in each window.
        let mut columns = vec![T::LOWEST; wide.inputs()];
        for r in 0..wide.rows {
            let (len, at) = wide.place(r, g.input[2]);
            for k in (0..g.kernel[0]).flat_map(|z| (0..g.kernel[1]).map(move |y| [z, y])) {
                if let Some(row) = input_row(g, r, k) {
                    let both = columns[at..at + len].iter_mut().zip(&x[row..row + len]);
                    both.for_each(|(c, x)| *c = larger(*c, larger(*x, floor)));
                }
            }
        }
        if wide.pitch == g.output[2] {
            return max_of_columns(&wide, &columns, y);
        }
        let mut out = vec![T::LOWEST; wide.outputs()];
        max_of_columns(&wide, &columns, &mut out);
        for (y, out) in y.chunks_exact_mut(g.output[2]).zip(out.chunks_exact(wide.pitch)) {
            y.copy_from_slice(&out[..y.len()]);
        }
    }

    /// [`find_places`] for all rows of the output at once.
    fn find_all_places<T: Real>(g: &PoolGeometry, relu: bool, x: &[T], y: &[T], places: &mut [u32]) {
        let wide = Wide::new(g);
        let ow = g.output[2];
        // Nothing equals a NaN, so padding is no place.
        let nan = T::from_f64(f64::NAN);
        let mut results = vec![nan; wide.outputs()];
        for (wide, y) in results.chunks_exact_mut(wide.pitch).zip(y.chunks_exact(ow)) {
            wide[..ow].copy_from_slice(y);
        }
        let mut codes = vec![NOWHERE; wide.outputs()];
        let mut rows = vec![nan; wide.inputs()];
        for k in (0..g.kernel[0]).flat_map(|z| (0..g.kernel[1]).map(move |y| [z, y])).rev() {
            for r in 0..wide.rows {
                let (len, at) = wide.place(r, g.input[2]);
                match input_row(g, r, k) {
                    Some(row) => rows[at..at + len].copy_from_slice(&x[row..row + len]),
                    None => rows[at..at + len].fill(nan),
                }
            }
            if relu {
                rows.iter_mut().for_each(|x| *x = larger(*x, T::ZERO));
            }
            for column in (0..wide.window).rev() {
                let code = ((k[0] * g.kernel[1] + k[1]) * wide.window + column) as u32;
                let both = codes.iter_mut().zip(&results);
                let keep = |(place, y): (&mut u32, &T), x: T| *place = if x == *y { code } else { *place };
                let rows = &rows[column..];
                match wide.step {
                    1 => both.zip(rows).for_each(|(both, x)| keep(both, *x)),
                    2 => both.zip(rows.chunks_exact(2)).for_each(|(both, x)| keep(both, x[0])),
                    step => both.zip(rows.iter().step_by(step)).for_each(|(both, x)| keep(both, *x)),
                }
            }
        }
        for (places, codes) in places.chunks_exact_mut(ow).zip(codes.chunks_exact(wide.pitch)) {
            places.copy_from_slice(&codes[..ow]);
        }
    }

    /// Writes the place in the window that each maximum of row `row` of the output has: the first that equals it.
    fn find_places<T: Real>(g: &PoolGeometry, relu: bool, row: usize, x: &[T], y: &[T], places: &mut [u32]) {
        let [_, kh, kw] = g.kernel;
        places.fill(NOWHERE);
        // From the last to the first without a branch, so that the first match stays.
        for k in (0..g.kernel[0]).flat_map(|z| (0..kh).map(move |y| [z, y])).rev() {
            let Some(from) = input_row(g, row, k) else { continue };
            for column in (0..kw).rev() {
                let (out, code) = (g.reached(column), ((k[0] * kh + k[1]) * kw + column) as u32);
                let first = from + out.start * g.stride[2] + column;
                for (i, o) in out.enumerate() {
                    let x = x[first + i * g.stride[2] - g.pad[2]];
                    let x = if relu { larger(x, T::ZERO) } else { x };
                    places[o] = if x == y[o] { code } else { places[o] };
                }
            }
        }
    }
}

/// Writes the largest of the elements of `columns` in each window.
#[inline(always)]
fn max_of_columns<T: MaxElement>(wide: &Wide, columns: &[T], y: &mut [T]) {
    y.fill(T::LOWEST);
    for column in 0..wide.window {
        let columns = &columns[column..];
        match wide.step {
            1 => y.iter_mut().zip(columns).for_each(|(y, x)| *y = larger(*y, *x)),
            2 => y.iter_mut().zip(columns.chunks_exact(2)).for_each(|(y, x)| *y = larger(*y, x[0])),
            step => y.iter_mut().zip(columns.iter().step_by(step)).for_each(|(y, x)| *y = larger(*y, *x)),
        }
    }
}

/// [`max_plane`] row by row.
#[inline(always)]
fn max_rows<T: MaxElement>(g: &PoolGeometry, floor: T, x: &[T], y: &mut [T]) {
    let mut line = vec![T::LOWEST; g.input[2]];
    for (r, row) in y.chunks_exact_mut(g.output[2].max(1)).enumerate() {
        line.fill(T::LOWEST);
        for k in (0..g.kernel[0]).flat_map(|z| (0..g.kernel[1]).map(move |y| [z, y])) {
            if let Some(from) = input_row(g, r, k) {
                let both = line.iter_mut().zip(&x[from..from + g.input[2]]);
                both.for_each(|(c, x)| *c = larger(*c, larger(*x, floor)));
            }
        }
        row.fill(T::LOWEST);
        each_place(g, |out, first| {
            zip(&mut row[out], &line[first..], g.stride[2], |y, x| *y = larger(*y, x));
        });
    }
}

/// No element equals the maximum: it is NaN.
const NOWHERE: u32 = u32::MAX;

fn max_plane_backward<T: Real>(g: &PoolGeometry, how: Max, x: Option<&[T]>, y: &[T], dy: &[T], dx: &mut [T]) {
    let ([_, ih, iw], [_, oh, ow]) = (g.input, g.output);
    let [_, kh, kw] = g.kernel;
    let distance = |place: usize| (place / (kh * kw) * ih + place / kw % kh) * iw + place % kw;
    let distances: Vec<usize> = (0..g.kernel.iter().product()).map(distance).collect();
    let mut places = vec![NOWHERE; y.len()];
    let x = x.unwrap_or(dx);
    if Wide::new(g).pays(g) {
        find_all_places(g, how.relu, x, y, &mut places);
    } else {
        let rows = y.chunks_exact(ow.max(1)).zip(places.chunks_exact_mut(ow.max(1))).enumerate();
        rows.for_each(|(row, (y, places))| find_places(g, how.relu, row, x, y, places));
    }
    if !how.accumulate {
        dx.fill(T::ZERO);
    }
    let pad = (g.pad[0] * ih + g.pad[1]) * iw + g.pad[2];
    // Where the window of a row's first output begins, which may be in the padding.
    let begin = |row: usize| (row / oh * g.stride[0] * ih + row % oh * g.stride[1]) * iw;
    let at = |begin: usize, o: usize, place: u32| begin + o * g.stride[2] + distances[place as usize] - pad;
    let rows = || places.chunks_exact(ow.max(1)).enumerate();
    for ((row, places), dy) in rows().zip(dy.chunks_exact(ow.max(1))) {
        let begin = begin(row);
        for (o, (place, dy)) in places.iter().zip(dy).enumerate().filter(|(_, (p, _))| **p != NOWHERE) {
            dx[at(begin, o, *place)] += *dy;
        }
    }
    if how.relu {
        for ((row, places), y) in rows().zip(y.chunks_exact(ow.max(1))) {
            let begin = begin(row);
            let blocked = |(_, (place, y)): &(usize, (&u32, &T))| **place != NOWHERE && **y <= T::ZERO;
            for (o, (place, _)) in places.iter().zip(y).enumerate().filter(blocked) {
                // Where windows overlap this is done several times, which makes no difference.
                dx[at(begin, o, *place)] *= T::ZERO;
            }
        }
    }
}
