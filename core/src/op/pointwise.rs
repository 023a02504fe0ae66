//! Elementwise arithmetic, written once as a small generic expression.
//!
//! `pointwise!(Real, |x, y; c| x * y.exp() + c)` gives the arithmetic of an operator with two inputs and a
//! scalar. It is instantiated for the types that arithmetic is done in: `f32` (also for float16 and bfloat16),
//! `f64`, and `i64` for all integers when the expression is bounded by [`Arith`](crate::op::arith::Arith) instead of [`Real`](crate::op::arith::Real); other
//! uses on integers go through `f64`. Inputs broadcast as NumPy's do. Work goes tile by tile, in any order.

use crate::dtype::{DType, Element};
use crate::error::Result;
use crate::op::arith::Int;
use crate::op::convert::Compute;
use crate::op::kernel::{Kernel, Tensor};
use crate::parallel::for_each_range;
use smallvec::SmallVec;
use std::ops::Range;

/// Computes `n` results from `n` elements of each input and the operator's scalars.
///
/// # Safety
/// All pointers must be valid for `n` elements; the output may be an input.
pub type Tile<T> = unsafe fn(inputs: &[*const T], output: *mut T, n: usize, scalars: [f64; 2]);

/// The arithmetic of an elementwise operator; made by `pointwise!`.
#[derive(Clone, Copy)]
pub struct Pointwise {
    /// In single precision.
    pub single: Tile<f32>,
    /// In double precision.
    pub double: Tile<f64>,
    /// On integers, if it is the same there.
    pub integer: Option<Tile<Int>>,
    /// The scalars; those that the expression does not name are unused.
    pub scalars: [f64; 2],
}

impl Pointwise {
    /// The same with another scalar.
    #[must_use]
    pub fn with_scalar(self, scalar: f64) -> Pointwise {
        self.with_scalars(scalar, 0.0)
    }

    /// The same with two other scalars.
    #[must_use]
    pub fn with_scalars(mut self, first: f64, second: f64) -> Pointwise {
        self.scalars = [first, second];
        self
    }
}

/// Makes a [`Pointwise`] from an expression in up to three inputs and, after a semicolon, up to two scalars.
#[macro_export]
macro_rules! pointwise {
    (Real, |$($x:ident),*; $c:ident, $d:ident| $body:expr) => {
        $crate::pointwise!(@make Real, [$($x)*], $c $d, $body, None)
    };
    (Arith, |$($x:ident),*; $c:ident, $d:ident| $body:expr) => {
        $crate::pointwise!(@make Arith, [$($x)*], $c $d, $body, Some(tile::<$crate::op::arith::Int>))
    };
    ($bound:ident, |$($x:ident),*; $c:ident| $body:expr) => {
        $crate::pointwise!($bound, |$($x),*; $c, _d| $body)
    };
    ($bound:ident, |$($x:ident),*| $body:expr) => { $crate::pointwise!($bound, |$($x),*; _c, _d| $body) };
    (@make $bound:ident, [$($x:ident)*], $c:ident $d:ident, $body:expr, $integer:expr) => {{
        #[allow(unused_imports)]
        use $crate::op::arith::{Arith, Real};
        #[inline(always)]
        fn value<T: $bound>($($x: T,)* $c: T, $d: T) -> T { $body }
        $crate::simd_fn! {
            fn each<T: $bound>(inputs: &[*const T], output: *mut T, n: usize, c: T, d: T) {
                const PIECE: usize = $crate::op::pointwise::PIECE;
                let mut pointers = inputs.iter().copied();
                $(let $x = pointers.next().expect("one pointer for each input");)*
                // Through local arrays, because the output may be an input, which would forbid vector code.
                for start in (0..n - n % PIECE).step_by(PIECE) {
                    let mut out = [c; PIECE];
                    // SAFETY: `tile`'s caller promises `n` elements behind each pointer.
                    $(let $x = unsafe { $x.add(start).cast::<[T; PIECE]>().read_unaligned() };)*
                    for i in 0..PIECE {
                        out[i] = value($($x[i],)* c, d);
                    }
                    // SAFETY: as above.
                    unsafe { output.add(start).cast::<[T; PIECE]>().write_unaligned(out) };
                }
                for i in n - n % PIECE..n {
                    // SAFETY: as above.
                    unsafe { *output.add(i) = value($(*$x.add(i),)* c, d) }
                }
            }
        }
        unsafe fn tile<T: $bound>(inputs: &[*const T], output: *mut T, n: usize, scalars: [f64; 2]) {
            each::<T>(inputs, output, n, T::lit(scalars[0]), T::lit(scalars[1]));
        }
        $crate::op::pointwise::Pointwise {
            single: tile::<f32>, double: tile::<f64>, integer: $integer, scalars: [0.0; 2],
        }
    }};
}

/// Elements that a loop made by `pointwise!` takes at a time.
#[doc(hidden)]
pub const PIECE: usize = 128;
/// Elements that one thread takes at least.
pub(crate) const GRAIN: usize = 32 * 1024;
/// Elements per tile where types are converted or shapes broadcast.
pub(crate) const TILE: usize = 512;

/// Elementwise arithmetic on contiguous elements of one of the types that it is instantiated for.
pub(crate) enum Direct {
    Single(Tile<f32>, [f64; 2]),
    Double(Tile<f64>, [f64; 2]),
}

/// The arithmetic for elements of `dtype`, if it computes in that. Integers go the long way: with some scalars
/// their results are no integers.
pub(crate) fn direct(p: &Pointwise, dtype: DType) -> Option<Direct> {
    match dtype {
        DType::F32 => Some(Direct::Single(p.single, p.scalars)),
        DType::F64 => Some(Direct::Double(p.double, p.scalars)),
        _ => None,
    }
}

impl Direct {
    /// Computes `n` elements. Every address has that many elements, as `invoke` made sure.
    pub(crate) fn run(&self, inputs: &[*const u8], output: *mut u8, n: usize) {
        // A pointer has one size whatever it points to.
        fn of<T>(inputs: &[*const u8]) -> &[*const T] {
            // SAFETY: pointers to different types have the same layout.
            unsafe { &*(std::ptr::from_ref(inputs) as *const [*const T]) }
        }
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Direct::Single(tile, scalars) => tile(of(inputs), output.cast(), n, *scalars),
                Direct::Double(tile, scalars) => tile(of(inputs), output.cast(), n, *scalars),
            }
        }
    }
}

/// Runs elementwise arithmetic on the arrays of a call. A scalar that meets integers alone loses its fraction.
pub fn run(p: &Pointwise, k: &mut Kernel) -> Result<()> {
    let dtypes = || k.inputs.iter().chain(&k.outputs).map(|t| t.dtype);
    let double = dtypes().any(|d| d == DType::F64);
    match p.integer {
        _ if double => run_in(p.double, p.scalars, k),
        _ if dtypes().any(DType::is_float) => run_in(p.single, p.scalars, k),
        Some(integer) => run_in(integer, p.scalars, k),
        None => run_in(p.double, p.scalars.map(f64::trunc), k),
    }
    Ok(())
}

/// Copies input 0, seen with `shape`, to output 0, repeating it where the shapes broadcast.
///
/// # Errors
/// None so far.
pub fn repeat(k: &Kernel, shape: &crate::Shape) -> Result<()> {
    assign(&crate::pointwise!(Arith, |x| x), k, 0, shape, 0)
}

/// As [`repeat`], and divides by a number.
///
/// # Errors
/// None so far.
pub fn repeat_divided(k: &Kernel, shape: &crate::Shape, divisor: f64) -> Result<()> {
    assign(&crate::pointwise!(Arith, |x; c| x / c).with_scalar(divisor), k, 0, shape, 0)
}

/// Copies an input to an output with as many elements, converting it to the output's dtype.
///
/// # Errors
/// None so far.
pub fn convert(k: &Kernel, input: usize, output: usize) -> Result<()> {
    assign(&crate::pointwise!(Arith, |x| x), k, input, k.out_shape(output), output)
}

fn assign(p: &Pointwise, k: &Kernel, input: usize, shape: &crate::Shape, output: usize) -> Result<()> {
    let tensor = |t: &Tensor<'_>, shape| Tensor { data: t.data, shape, dtype: t.dtype };
    let (from, to) = (&k.inputs[input], &k.outputs[output]);
    let mut inner = Kernel {
        inputs: SmallVec::from_iter([tensor(from, shape)]),
        outputs: SmallVec::from_iter([tensor(to, to.shape)]),
        accumulate: k.accumulate && output == 0,
        training: k.training,
        random: k.random,
        pending: None,
    };
    run(p, &mut inner)
}

fn run_in<C: Compute>(tile: Tile<C>, scalars: [f64; 2], k: &Kernel) {
    let out = &k.outputs[0];
    let n = out.shape.len();
    let direct = C::DIRECT.is_some_and(|d| out.dtype == d && k.inputs.iter().all(|t| t.dtype == d));
    if direct && !k.accumulate && k.inputs.iter().all(|t| t.shape == out.shape) {
        let inputs: SmallVec<[Ptr<C>; 3]> = k.inputs.iter().map(|t| Ptr(t.data.cast())).collect();
        let output = Ptr(out.data.cast::<C>());
        let piece = |r: Range<usize>| {
            let at = |p: &Ptr<C>| p.get().wrapping_add(r.start).cast_const();
            let inputs: SmallVec<[*const C; 3]> = inputs.iter().map(at).collect();
            // SAFETY: the range lies within all arrays, which have `n` elements of this type.
            unsafe { tile(&inputs, output.get().add(r.start), r.len(), scalars) }
        };
        if n <= GRAIN {
            piece(0..n)
        } else {
            for_each_range(n, GRAIN, piece)
        }
        return;
    }
    let readers: SmallVec<[Reader; 3]> = k.inputs.iter().map(|t| Reader::new(t, out.shape)).collect();
    let (output, dtype, accumulate) = (Ptr(out.data), out.dtype, k.accumulate);
    for_each_range(n, GRAIN, |range| {
        let mut buffers = vec![C::ZERO; TILE * (readers.len() + 1)];
        for start in range.clone().step_by(TILE) {
            let len = TILE.min(range.end - start);
            let (result, sources) = buffers.split_at_mut(TILE);
            for (reader, buffer) in readers.iter().zip(sources.chunks_mut(TILE)) {
                reader.read(start, &mut buffer[..len]);
            }
            let inputs: SmallVec<[*const C; 3]> = sources.chunks(TILE).map(<[C]>::as_ptr).collect();
            // SAFETY: every buffer holds a tile.
            unsafe { tile(&inputs, result.as_mut_ptr(), len, scalars) };
            let target = output.get().wrapping_add(start * dtype.size());
            C::store(dtype, target, &result[..len], accumulate);
        }
    });
}

/// A pointer that threads may share because they use disjoint parts.
pub(crate) struct Ptr<T>(pub(crate) *mut T);
// SAFETY: see the type's description.
unsafe impl<T> Sync for Ptr<T> {}
// SAFETY: see the type's description.
unsafe impl<T> Send for Ptr<T> {}
impl<T> Ptr<T> {
    pub(crate) fn get(&self) -> *mut T {
        self.0
    }
}

/// Reads an input in the order of the output's elements, repeating what broadcasts.
pub(crate) struct Reader {
    data: Ptr<u8>,
    dtype: DType,
    /// (size, stride in elements) of the output's axes, fastest first, merged where possible.
    axes: SmallVec<[(usize, usize); 4]>,
}

impl Reader {
    pub(crate) fn new(input: &Tensor, out: &crate::Shape) -> Reader {
        let strides = input.shape.strides();
        let lead = out.ndim() - input.shape.ndim();
        let mut axes: SmallVec<[(usize, usize); 4]> = SmallVec::new();
        for axis in (0..out.ndim()).rev() {
            let size = out[axis] as usize;
            let stride = if axis < lead || input.shape[axis - lead] == 1 { 0 } else { strides[axis - lead] };
            match axes.last_mut() {
                _ if size == 1 => {}
                Some((n, s)) if *s * *n == stride && (*s != 0 || stride == 0) => *n *= size,
                _ => axes.push((size, stride)),
            }
        }
        if axes.is_empty() {
            axes.push((1, 0));
        }
        Reader { data: Ptr(input.data), dtype: input.dtype, axes }
    }

    /// Reads the elements for outputs `start..start + buffer.len()`.
    pub(crate) fn read<C: Compute>(&self, start: usize, buffer: &mut [C]) {
        let mut done = 0;
        while done < buffer.len() {
            let mut rest = start + done;
            let (inner, stride) = self.axes[0];
            let within = rest % inner;
            let mut offset = within * stride;
            rest /= inner;
            for (size, stride) in &self.axes[1..] {
                offset += rest % size * stride;
                rest /= size;
            }
            let run = (inner - within).min(buffer.len() - done);
            let source = self.data.get().wrapping_add(offset * self.dtype.size());
            let target = &mut buffer[done..done + run];
            if stride == 0 {
                C::load(self.dtype, source, &mut target[..1]);
                let first = target[0];
                target.fill(first);
            } else {
                C::load(self.dtype, source, target);
            }
            done += run;
        }
    }
}

/// Adds `bytes` bytes of elements at `source` to those at `target`.
pub(crate) fn add_assign(dtype: DType, target: *mut u8, source: *const u8, bytes: usize) {
    let n = bytes / dtype.size();
    crate::with_dtype!(dtype, T => {
        // SAFETY: `invoke` gives the output and a buffer of its size.
        let (t, s) = unsafe {
            (std::slice::from_raw_parts_mut(target.cast::<T>(), n), std::slice::from_raw_parts(source.cast::<T>(), n))
        };
        for (t, s) in t.iter_mut().zip(s) {
            *t = if dtype.is_float() { T::from_f64(t.to_f64() + s.to_f64()) }
                else { T::from_i64(t.to_i64().wrapping_add(s.to_i64())) };
        }
    });
}
