//! Conversion between element types and the types that arithmetic is done in.

use crate::dtype::{Bool, DType, Element};
use crate::op::arith::Int;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// A type that arithmetic is done in, and its conversions from and to element types.
pub(crate) trait Compute: Copy + Send + Sync + 'static {
    /// The dtype whose elements are of this type.
    const DIRECT: Option<DType>;
    const ZERO: Self;
    fn load(dtype: DType, source: *const u8, target: &mut [Self]);
    fn store(dtype: DType, target: *mut u8, values: &[Self], accumulate: bool);
}

#[inline(always)]
fn each<S: Copy, T>(source: &[S], target: &mut [T], f: impl Fn(S) -> T) {
    target.iter_mut().zip(source).for_each(|(t, s)| *t = f(*s));
}

macro_rules! compute {
    ($t:ty, $direct:expr, $zero:expr, $add:expr, $into:expr, $from:expr, $read:expr, $write:expr,
     $($d:ident $e:ty),*) => {
        impl Compute for $t {
            const DIRECT: Option<DType> = $direct;
            const ZERO: Self = $zero;
            fn load(dtype: DType, source: *const u8, target: &mut [Self]) {
                match dtype {
                    $(DType::$d => {
                        // SAFETY: the caller gives the address of as many elements of this dtype.
                        let s = unsafe { std::slice::from_raw_parts(source.cast::<$e>(), target.len()) };
                        $read(s, target);
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
                        if !accumulate {
                            return $write(values, t);
                        }
                        let from = $from;
                        for (t, v) in t.iter_mut().zip(values) {
                            // A sum rounds its second term to the dtype first, as separate operators do.
                            *t = from($add($into(*t), $into(from(*v))));
                        }
                    })*
                    #[allow(unreachable_patterns)]
                    _ => unreachable!("{dtype} is not computed in this type"),
                }
            }
        }
    };
}

/// Conversion between element types and the floating-point types of arithmetic, which the compiler can turn into
/// vector code. Numbers beyond the range of a small integer wrap around.
trait Convert: Element {
    fn single(self) -> f32;
    fn of_single(v: f32) -> Self;
    fn of_double(v: f64) -> Self;
    #[inline(always)]
    fn to_singles(source: &[Self], target: &mut [f32]) {
        target.iter_mut().zip(source).for_each(|(t, s)| *t = s.single());
    }
    #[inline(always)]
    fn of_singles(source: &[f32], target: &mut [Self]) {
        target.iter_mut().zip(source).for_each(|(t, s)| *t = Self::of_single(*s));
    }
}

macro_rules! convert {
    ($($t:ty: $to:expr, $single:expr, $double:expr $(, $slices:tt)?);* $(;)?) => {$(
        impl Convert for $t {
            #[inline(always)]
            fn single(self) -> f32 { $to(self) }
            #[inline(always)]
            fn of_single(v: f32) -> Self { $single(v) }
            #[inline(always)]
            fn of_double(v: f64) -> Self { $double(v) }
            $(convert!(@half $slices);)?
        }
    )*};
    (@half half) => {
        #[inline]
        fn to_singles(source: &[Self], target: &mut [f32]) { source.convert_to_f32_slice(target) }
        #[inline]
        fn of_singles(source: &[f32], target: &mut [Self]) { target.convert_from_f32_slice(source) }
    };
}
convert! {
    f64: |v| v as f32, f64::from, |v| v;
    f32: |v| v, |v| v, |v| v as f32;
    f16: f16::to_f32, f16::from_f32, f16::from_f64, half;
    bf16: bf16::to_f32, bf16::from_f32, bf16::from_f64, half;
    i64: |v| v as f32, |v| v as i64, |v| v as i64;
    i32: |v| v as f32, |v| v as i32, |v| v as i64 as i32;
    i8: f32::from, |v| v as i32 as i8, |v| v as i64 as i8;
    u8: f32::from, |v| v as i32 as u8, |v| v as i64 as u8;
    Bool: |v: Bool| v.to_f64() as f32, |v: f32| Bool(u8::from(v != 0.0)), |v: f64| Bool(u8::from(v != 0.0));
}

compute!(f32, Some(DType::F32), 0.0, |a: f32, b: f32| a + b, Convert::single, Convert::of_single,
    Convert::to_singles, Convert::of_singles,
    F32 f32, F16 f16, BF16 bf16, I64 i64, I32 i32, I8 i8, U8 u8, Bool Bool);
compute!(f64, Some(DType::F64), 0.0, |a: f64, b: f64| a + b, Element::to_f64, Convert::of_double,
    |s: &[_], t: &mut [f64]| each(s, t, Element::to_f64), |s: &[f64], t: &mut [_]| each(s, t, Convert::of_double),
    F64 f64, F32 f32, F16 f16, BF16 bf16, I64 i64, I32 i32, I8 i8, U8 u8, Bool Bool);
compute!(Int, Some(DType::I64), Int(0), |a: Int, b: Int| a + b, |v| Int(Element::to_i64(v)),
    |v: Int| Element::from_i64(v.0), |s: &[_], t: &mut [Int]| each(s, t, |v| Int(Element::to_i64(v))),
    |s: &[Int], t: &mut [_]| each(s, t, |v: Int| Element::from_i64(v.0)), I64 i64, I32 i32, I8 i8, U8 u8, Bool Bool);
