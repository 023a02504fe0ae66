//! Elementwise arithmetic, written once as a small generic expression.
//!
//! `pointwise!(Real, |x, y; c| x * y.exp() + c)` gives the arithmetic of an operator with two inputs and a
//! scalar. It is instantiated for the types that arithmetic is done in: `f32` (also for float16 and bfloat16),
//! `f64`, and `i64` for all integers when the expression is bounded by [`Arith`] instead of [`Real`]; other
//! uses on integers go through `f64`. Inputs broadcast as NumPy's do. Work goes tile by tile, in any order.

use crate::dtype::{Bool, DType, Element};
use crate::error::Result;
use crate::kernels::math;
use crate::op::kernel::{Kernel, Tensor};
use crate::parallel::for_each_range;
use half::{bf16, f16};
use smallvec::SmallVec;
use std::ops::{Add, Div, Mul, Neg, Range, Sub};

/// Arithmetic that integers have too. Comparisons give 1 or 0.
pub trait Arith:
    Copy
    + Send
    + Sync
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// A constant.
    fn lit(v: f64) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// Remainder with the sign of the divisor, as in Python; 0 for a zero divisor.
    fn modulo(self, divisor: Self) -> Self;
    /// Quotient rounded toward negative infinity; 0 for a zero integer divisor.
    fn floor_div(self, divisor: Self) -> Self;
    /// Power.
    fn pow(self, exponent: Self) -> Self;
    /// 1 if the condition holds, else 0.
    #[inline(always)]
    fn truth(condition: bool) -> Self {
        if condition { Self::lit(1.0) } else { Self::lit(0.0) }
    }
    /// True unless 0.
    #[inline(always)]
    fn is_true(self) -> bool {
        self != Self::lit(0.0)
    }
    /// The larger; NaN if either is.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        #[allow(clippy::eq_op)]
        if self > other || self != self { self } else { other }
    }
    /// The smaller; NaN if either is.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        #[allow(clippy::eq_op)]
        if self < other || self != self { self } else { other }
    }
    /// −1, 0 or 1.
    #[inline(always)]
    fn sign(self) -> Self {
        Self::truth(self > Self::lit(0.0)) - Self::truth(self < Self::lit(0.0))
    }
}

/// Arithmetic of real numbers.
pub trait Real: Arith {
    /// Exponential.
    fn exp(self) -> Self;
    /// Exponential less one.
    fn expm1(self) -> Self;
    /// Natural logarithm.
    fn log(self) -> Self;
    /// Natural logarithm of one more.
    fn log1p(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Logistic function.
    fn sigmoid(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
}

macro_rules! real {
    ($($t:ty),*: $($f:ident),*) => { real!(@types [$($t)*] [$($f)*]); };
    (@types [$($t:ty)*] $functions:tt) => { $(real!(@impl $t, $functions);)* };
    (@impl $t:ty, [$($f:ident)*]) => {
        impl Real for $t {
            $(#[inline(always)] fn $f(self) -> Self { math::Real::$f(self) })*
        }
    };
}
real!(f32, f64: exp, expm1, log, log1p, tanh, sigmoid, erf, sqrt);

macro_rules! arith_float {
    ($($t:ty),*) => {$(
        impl Arith for $t {
            #[inline(always)]
            fn lit(v: f64) -> Self { v as $t }
            #[inline(always)]
            fn abs(self) -> Self { <$t>::abs(self) }
            #[inline(always)]
            fn modulo(self, divisor: Self) -> Self {
                if divisor == 0.0 { return 0.0; }
                let r = self % divisor;
                if r != 0.0 && (r < 0.0) != (divisor < 0.0) { r + divisor } else { r }
            }
            #[inline(always)]
            fn floor_div(self, divisor: Self) -> Self { (self / divisor).floor() }
            #[inline(always)]
            fn pow(self, exponent: Self) -> Self { self.powf(exponent) }
        }
    )*};
}
arith_float!(f32, f64);

/// Integers of every width compute in 64 bits and wrap when they are stored.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Int(pub i64);

macro_rules! int_op {
    ($($trait:ident $method:ident $wrapping:ident),*) => {$(
        impl $trait for Int {
            type Output = Int;
            #[inline(always)]
            fn $method(self, o: Int) -> Int { Int(self.0.$wrapping(o.0)) }
        }
    )*};
}
int_op!(Add add wrapping_add, Sub sub wrapping_sub, Mul mul wrapping_mul);

impl Div for Int {
    type Output = Int;
    #[inline(always)]
    fn div(self, o: Int) -> Int {
        Int(if o.0 == 0 { 0 } else { self.0.wrapping_div(o.0) })
    }
}

impl Neg for Int {
    type Output = Int;
    #[inline(always)]
    fn neg(self) -> Int {
        Int(self.0.wrapping_neg())
    }
}

impl Arith for Int {
    #[inline(always)]
    fn lit(v: f64) -> Self {
        Int(v as i64)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Int(self.0.wrapping_abs())
    }
    #[inline(always)]
    fn modulo(self, divisor: Self) -> Self {
        if divisor.0 == 0 {
            return Int(0);
        }
        let r = self.0.wrapping_rem(divisor.0);
        Int(if r != 0 && (r < 0) != (divisor.0 < 0) { r + divisor.0 } else { r })
    }
    #[inline(always)]
    fn floor_div(self, divisor: Self) -> Self {
        let r = self.modulo(divisor);
        (self - r) / divisor
    }
    #[inline(always)]
    fn pow(self, exponent: Self) -> Self {
        Int((self.0 as f64).powf(exponent.0 as f64) as i64)
    }
}

/// Computes `n` results from `n` elements of each input and the operator's scalar.
///
/// # Safety
/// All pointers must be valid for `n` elements; the output may be an input.
pub type Tile<T> = unsafe fn(inputs: &[*const T], output: *mut T, n: usize, scalar: f64);

/// The arithmetic of an elementwise operator; made by `pointwise!`.
#[derive(Clone, Copy)]
pub struct Pointwise {
    /// In single precision.
    pub single: Tile<f32>,
    /// In double precision.
    pub double: Tile<f64>,
    /// On integers, if it is the same there.
    pub integer: Option<Tile<Int>>,
    /// The scalar.
    pub scalar: f64,
}

impl Pointwise {
    /// The same with another scalar.
    #[must_use]
    pub fn with_scalar(mut self, scalar: f64) -> Pointwise {
        self.scalar = scalar;
        self
    }
}

/// Makes a [`Pointwise`] from an expression in up to three inputs and, after a semicolon, a scalar.
#[macro_export]
macro_rules! pointwise {
    (Real, |$($x:ident),*; $c:ident| $body:expr) => {
        $crate::pointwise!(@make Real, [$($x)*], $c, $body, None)
    };
    (Arith, |$($x:ident),*; $c:ident| $body:expr) => {
        $crate::pointwise!(@make Arith, [$($x)*], $c, $body, Some(tile::<$crate::op::pointwise::Int>))
    };
    ($bound:ident, |$($x:ident),*| $body:expr) => { $crate::pointwise!($bound, |$($x),*; _c| $body) };
    (@make $bound:ident, [$($x:ident)*], $c:ident, $body:expr, $integer:expr) => {{
        #[allow(unused_imports)]
        use $crate::op::pointwise::{Arith, Real};
        #[inline(always)]
        fn value<T: $bound>($($x: T,)* $c: T) -> T { $body }
        $crate::simd_fn! {
            fn each<T: $bound>(inputs: &[*const T], output: *mut T, n: usize, scalar: T) {
                let mut pointers = inputs.iter().copied();
                $(let $x = pointers.next().expect("one pointer for each input");)*
                for i in 0..n {
                    // SAFETY: `tile`'s caller promises `n` elements behind each pointer.
                    unsafe { *output.add(i) = value($(*$x.add(i),)* scalar) }
                }
            }
        }
        unsafe fn tile<T: $bound>(inputs: &[*const T], output: *mut T, n: usize, scalar: f64) {
            each::<T>(inputs, output, n, T::lit(scalar));
        }
        $crate::op::pointwise::Pointwise {
            single: tile::<f32>, double: tile::<f64>, integer: $integer, scalar: 0.0,
        }
    }};
}

/// Elements that one thread takes at least.
const GRAIN: usize = 32 * 1024;
/// Elements per tile where types are converted or shapes broadcast.
const TILE: usize = 512;

/// Runs elementwise arithmetic on the arrays of a call.
pub fn run(p: &Pointwise, k: &mut Kernel) -> Result<()> {
    let dtypes = || k.inputs.iter().chain(&k.outputs).map(|t| t.dtype);
    let double = dtypes().any(|d| d == DType::F64);
    match p.integer {
        _ if dtypes().any(DType::is_float) && !double => run_in(p.single, p.scalar, k),
        Some(integer) if !double => run_in(integer, p.scalar, k),
        _ => run_in(p.double, p.scalar, k),
    }
    Ok(())
}

/// Copies input 0, seen with `shape`, to output 0, repeating it where the shapes broadcast.
///
/// # Errors
/// None so far.
pub fn repeat(k: &Kernel, shape: &crate::Shape) -> Result<()> {
    let tensor = |t: &Tensor<'_>, shape| Tensor { data: t.data, shape, dtype: t.dtype };
    let mut inner = Kernel {
        inputs: SmallVec::from_iter([tensor(&k.inputs[0], shape)]),
        outputs: SmallVec::from_iter([tensor(&k.outputs[0], k.outputs[0].shape)]),
        accumulate: k.accumulate,
        training: k.training,
        random: k.random,
        pending: None,
    };
    run(&crate::pointwise!(Arith, |x| x), &mut inner)
}

fn run_in<C: Compute>(tile: Tile<C>, scalar: f64, k: &Kernel) {
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
            unsafe { tile(&inputs, output.get().add(r.start), r.len(), scalar) }
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
            unsafe { tile(&inputs, result.as_mut_ptr(), len, scalar) };
            let target = output.get().wrapping_add(start * dtype.size());
            C::store(dtype, target, &result[..len], accumulate);
        }
    });
}

/// A pointer that threads may share because they use disjoint parts.
struct Ptr<T>(*mut T);
// SAFETY: see the type's description.
unsafe impl<T> Sync for Ptr<T> {}
// SAFETY: see the type's description.
unsafe impl<T> Send for Ptr<T> {}
impl<T> Ptr<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}

/// Reads an input in the order of the output's elements, repeating what broadcasts.
struct Reader {
    data: Ptr<u8>,
    dtype: DType,
    /// (size, stride in elements) of the output's axes, fastest first, merged where possible.
    axes: SmallVec<[(usize, usize); 4]>,
}

impl Reader {
    fn new(input: &Tensor, out: &crate::Shape) -> Reader {
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
    fn read<C: Compute>(&self, start: usize, buffer: &mut [C]) {
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

/// A type that arithmetic is done in, and its conversions from and to element types.
trait Compute: Copy + Send + Sync + 'static {
    /// The dtype whose elements are of this type.
    const DIRECT: Option<DType>;
    const ZERO: Self;
    fn load(dtype: DType, source: *const u8, target: &mut [Self]);
    fn store(dtype: DType, target: *mut u8, values: &[Self], accumulate: bool);
}

macro_rules! compute {
    ($t:ty, $direct:expr, $zero:expr, $add:expr, $into:expr, $from:expr, $($d:ident $e:ty),*) => {
        impl Compute for $t {
            const DIRECT: Option<DType> = $direct;
            const ZERO: Self = $zero;
            fn load(dtype: DType, source: *const u8, target: &mut [Self]) {
                match dtype {
                    $(DType::$d => {
                        // SAFETY: the caller gives the address of as many elements of this dtype.
                        let s = unsafe { std::slice::from_raw_parts(source.cast::<$e>(), target.len()) };
                        target.iter_mut().zip(s).for_each(|(t, s)| *t = $into(*s));
                    })*
                    #[allow(unreachable_patterns)]
                    _ => unreachable!("{dtype} is not computed in this type"),
                }
            }
            fn store(dtype: DType, target: *mut u8, values: &[Self], accumulate: bool) {
                match dtype {
                    $(DType::$d => {
                        // SAFETY: the caller gives the address of as many elements of this dtype.
                        let t = unsafe { std::slice::from_raw_parts_mut(target.cast::<$e>(), values.len()) };
                        let from = $from;
                        for (t, v) in t.iter_mut().zip(values) {
                            // A sum rounds its second term to the dtype first, as separate operators do.
                            *t = if accumulate { from($add($into(*t), $into(from(*v)))) } else { from(*v) };
                        }
                    })*
                    #[allow(unreachable_patterns)]
                    _ => unreachable!("{dtype} is not computed in this type"),
                }
            }
        }
    };
}

/// Conversion between element types and single precision that the compiler can turn into vector code.
trait Single: Element {
    fn single(self) -> f32;
    fn of_single(v: f32) -> Self;
}

macro_rules! single {
    ($($t:ty: $to:expr, $of:expr);*) => {$(
        impl Single for $t {
            #[inline(always)]
            fn single(self) -> f32 { $to(self) }
            #[inline(always)]
            fn of_single(v: f32) -> Self { $of(v) }
        }
    )*};
}
single!(f32: |v| v, |v| v; f16: f16::to_f32, f16::from_f32; bf16: bf16::to_f32, bf16::from_f32;
    i64: |v| v as f32, |v| v as i64; i32: |v| v as f32, |v| v as i32; i8: |v| v as f32, |v| v as i8;
    u8: |v| v as f32, |v| v as u8; Bool: |v: Bool| v.to_f64() as f32, |v: f32| Bool(u8::from(v != 0.0)));

compute!(f32, Some(DType::F32), 0.0, |a: f32, b: f32| a + b, Single::single, Single::of_single,
    F32 f32, F16 f16, BF16 bf16, I64 i64, I32 i32, I8 i8, U8 u8, Bool Bool);
compute!(f64, Some(DType::F64), 0.0, |a: f64, b: f64| a + b, Element::to_f64, Element::from_f64,
    F64 f64, F32 f32, F16 f16, BF16 bf16, I64 i64, I32 i32, I8 i8, U8 u8, Bool Bool);
compute!(Int, Some(DType::I64), Int(0), |a: Int, b: Int| a + b, |v| Int(Element::to_i64(v)),
    |v: Int| Element::from_i64(v.0), I64 i64, I32 i32, I8 i8, U8 u8, Bool Bool);

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
