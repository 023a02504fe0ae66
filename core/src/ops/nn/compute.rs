//! What the kernels of layers compute in: `f64` for float64, `f32` for the other floating-point dtypes.

use crate::dtype::{DType, Element};
use crate::kernels::conv::ConvElement;
use crate::kernels::gemm::GemmElement;
use crate::kernels::layout::transpose;
use crate::kernels::math::Real;
use crate::kernels::pool::MaxElement;
use crate::kernels::reduce::ReduceElement;
use crate::op::kernel::Kernel;
use crate::parallel::for_each_range;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};
use std::borrow::Cow;

/// A type that layers compute in: `f32` or `f64`.
pub trait Compute: Real + ConvElement + GemmElement + MaxElement + ReduceElement<Acc = Self> {
    /// Elements of a half-precision array.
    fn from_half<H>(half: &H) -> Vec<Self>
    where
        H: HalfFloatSliceExt + ?Sized;
    /// Rounds to half precision.
    fn to_half<H>(values: &[Self], half: &mut H)
    where
        H: HalfFloatSliceExt + ?Sized;
}

macro_rules! compute {
    ($t:ty, $to:ident, $from:ident) => {
        impl Compute for $t {
            fn from_half<H: HalfFloatSliceExt + ?Sized>(half: &H) -> Vec<$t> {
                half.$to()
            }
            fn to_half<H: HalfFloatSliceExt + ?Sized>(values: &[$t], half: &mut H) {
                half.$from(values);
            }
        }
    };
}
compute!(f32, to_f32_vec, convert_from_f32_slice);
compute!(f64, to_f64_vec, convert_from_f64_slice);

/// Runs a block with `$C` standing for the type that a dtype computes in.
macro_rules! with_compute {
    ($dtype:expr, $C:ident => $body:expr) => {
        match $dtype {
            $crate::dtype::DType::F64 => {
                #[allow(unused_imports)]
                use $crate::kernels::math::Real as _;
                type $C = f64;
                $body
            }
            _ => {
                #[allow(unused_imports)]
                use $crate::kernels::math::Real as _;
                type $C = f32;
                $body
            }
        }
    };
}

/// Elements of an input, converted if its dtype is another.
pub fn read<'k, C: Compute>(k: &'k Kernel<'_>, i: usize) -> Cow<'k, [C]> {
    match k.dtype(i) {
        d if d == C::DTYPE => Cow::Borrowed(k.input(i)),
        DType::F16 => Cow::Owned(C::from_half(k.input::<f16>(i))),
        DType::BF16 => Cow::Owned(C::from_half(k.input::<bf16>(i))),
        other => Cow::Owned(crate::with_dtype!(other, T => {
            k.input::<T>(i).iter().map(|v| C::from_f64(v.to_f64())).collect()
        })),
    }
}

/// Lets `f` compute an output, and converts it if its dtype is another. `f` writes every element.
pub fn write<C: Compute>(k: &Kernel, i: usize, f: impl FnOnce(&mut [C])) {
    if k.out_dtype(i) == C::DTYPE {
        return f(k.output(i));
    }
    let mut values = vec![C::ZERO; k.out_shape(i).len()];
    f(&mut values);
    match k.out_dtype(i) {
        DType::F16 => C::to_half(&values, k.output::<f16>(i)),
        DType::BF16 => C::to_half(&values, k.output::<bf16>(i)),
        other => crate::with_dtype!(other, T => {
            let out = k.output::<T>(i);
            out.iter_mut().zip(&values).for_each(|(o, v)| *o = T::from_f64(v.to_f64()));
        }),
    }
}

/// True if [`write`] lets its function see the elements of an input, which the output is to be written over.
pub fn is_over<C: Compute>(k: &Kernel, input: usize, output: usize) -> bool {
    k.is_in_place(input, output) && k.out_dtype(output) == C::DTYPE
}

/// [`write`] for an operator that accumulates: `f(out, true)` adds to what is there.
pub fn write_or_add<C: Compute>(k: &Kernel, i: usize, f: impl FnOnce(&mut [C], bool)) {
    if k.out_dtype(i) == C::DTYPE || !k.accumulate {
        return write(k, i, |out| f(out, k.accumulate));
    }
    let mut values = vec![C::ZERO; k.out_shape(i).len()];
    f(&mut values, false);
    crate::with_dtype!(k.out_dtype(i), T => {
        let out = k.output::<T>(i);
        for (o, v) in out.iter_mut().zip(&values) {
            // The second term is rounded to the dtype first, as separate operators do.
            *o = T::from_f64(o.to_f64() + T::from_f64(v.to_f64()).to_f64());
        }
    });
}

/// [`read`] with the axes in another order: axis `i` is axis `order[i]` of the input.
pub fn read_ordered<'k, C: Compute>(k: &'k Kernel<'_>, i: usize, order: Option<&[usize]>) -> Cow<'k, [C]> {
    let x = read::<C>(k, i);
    let Some(order) = order else { return x };
    let dims: Vec<usize> = k.shape(i).iter().map(|d| *d as usize).collect();
    let mut out = vec![C::ZERO; x.len()];
    transpose(&x, &dims, order, &mut out);
    Cow::Owned(out)
}

/// [`write`] of output 0 with the axes in another order: `f` sees axis `order[i]` of the output as axis `i`.
pub fn write_ordered<C: Compute>(k: &Kernel, order: Option<&[usize]>, f: impl FnOnce(&mut [C])) {
    let Some(order) = order else { return write(k, 0, f) };
    let mut inside = vec![C::ZERO; k.out_shape(0).len()];
    f(&mut inside);
    let dims: Vec<usize> = order.iter().map(|i| k.out_shape(0)[*i] as usize).collect();
    let place = |i| order.iter().position(|o| *o == i).expect("a permutation");
    let back: Vec<usize> = (0..order.len()).map(place).collect();
    write(k, 0, |out| transpose(&inside, &dims, &back, out));
}

/// Lets `f` change a state.
pub fn change<C: Compute>(k: &Kernel, i: usize, f: impl FnOnce(&mut [C])) {
    if k.dtype(i) == C::DTYPE {
        return f(k.state(i));
    }
    let mut values = read::<C>(k, i).into_owned();
    f(&mut values);
    crate::with_dtype!(k.dtype(i), T => {
        k.state::<T>(i).iter_mut().zip(&values).for_each(|(s, v)| *s = T::from_f64(v.to_f64()));
    });
}

/// Calls `f(row, elements)` for the rows of `out`, in parallel if that is worth it.
pub fn for_each_row<C: Compute>(out: &mut [C], len: usize, f: impl Fn(usize, &mut [C]) + Sync) {
    if len == 0 || out.is_empty() {
        return;
    }
    let rows = out.len() / len;
    let out = crate::kernels::Shared::new(out);
    for_each_range(rows, (1usize << 14).div_ceil(len), |range| {
        for row in range {
            // SAFETY: each row is given to one call.
            f(row, unsafe { out.slice(row * len, len) });
        }
    });
}
