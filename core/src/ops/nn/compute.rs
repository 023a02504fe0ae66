//! What the kernels of layers compute in: `f64` for float64, `f32` for the other floating-point dtypes.

use crate::dtype::{DType, Element};
use crate::kernels::conv::ConvElement;
use crate::kernels::gemm::GemmElement;
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
