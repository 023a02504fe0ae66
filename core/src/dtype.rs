//! Element types of arrays.

use crate::error::Result;
use std::fmt;

/// The type of an array's elements. The numbers are MXNet's type flags, which its files use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum DType {
    /// IEEE 754 single precision.
    F32 = 0,
    /// IEEE 754 double precision.
    F64 = 1,
    /// IEEE 754 half precision.
    F16 = 2,
    /// Unsigned 8-bit integer.
    U8 = 3,
    /// Signed 32-bit integer.
    I32 = 4,
    /// Signed 8-bit integer.
    I8 = 5,
    /// Signed 64-bit integer.
    I64 = 6,
    /// Truth value, one byte, 0 or 1.
    Bool = 7,
    /// The upper half of a single-precision number.
    BF16 = 12,
}

impl DType {
    /// Every dtype, floating-point ones first.
    pub const ALL: [DType; 9] = [
        DType::F64,
        DType::F32,
        DType::F16,
        DType::BF16,
        DType::I64,
        DType::I32,
        DType::I8,
        DType::U8,
        DType::Bool,
    ];

    /// The dtype with MXNet's type flag `code`.
    pub fn from_code(code: i32) -> Result<DType> {
        DType::ALL
            .into_iter()
            .find(|d| *d as i32 == code)
            .ok_or_else(|| crate::err!(DType, "no dtype has the code {code}"))
    }

    /// The dtype of a name as NumPy and MXNet write it: `float32`, `int64`, `bool`, …
    pub fn from_name(name: &str) -> Result<DType> {
        DType::ALL.into_iter().find(|d| d.name() == name).ok_or_else(|| {
            let known: Vec<_> = DType::ALL.iter().map(|d| d.name()).collect();
            crate::err!(DType, "unknown dtype '{name}': expected one of {}", known.join(", "))
        })
    }

    /// The name as NumPy and MXNet write it.
    pub const fn name(self) -> &'static str {
        match self {
            DType::F32 => "float32",
            DType::F64 => "float64",
            DType::F16 => "float16",
            DType::U8 => "uint8",
            DType::I32 => "int32",
            DType::I8 => "int8",
            DType::I64 => "int64",
            DType::Bool => "bool",
            DType::BF16 => "bfloat16",
        }
    }

    /// Bytes per element.
    pub const fn size(self) -> usize {
        match self {
            DType::F64 | DType::I64 => 8,
            DType::F32 | DType::I32 => 4,
            DType::F16 | DType::BF16 => 2,
            DType::U8 | DType::I8 | DType::Bool => 1,
        }
    }

    /// True for the floating-point types.
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64 | DType::F16 | DType::BF16)
    }

    /// True for the integer types, `bool` not among them.
    pub const fn is_int(self) -> bool {
        matches!(self, DType::I64 | DType::I32 | DType::I8 | DType::U8)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type that array elements can be of.
///
/// `bool` elements are [`Bool`], whose byte may hold any value when it comes from outside.
pub trait Element: Copy + Send + Sync + PartialEq + PartialOrd + fmt::Debug + Default + 'static {
    /// The dtype that this type stands for.
    const DTYPE: DType;
    /// The nearest value of this type; out-of-range numbers convert as Rust's `as` does.
    fn from_f64(v: f64) -> Self;
    /// The value as a double.
    fn to_f64(self) -> f64;
    /// The value of an integer; wraps as Rust's `as` does.
    fn from_i64(v: i64) -> Self;
    /// The value as an integer, truncated toward zero.
    fn to_i64(self) -> i64;
}

macro_rules! element {
    ($($t:ty => $d:ident),*) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$d;
            #[inline(always)]
            fn from_f64(v: f64) -> Self { v as $t }
            #[inline(always)]
            fn to_f64(self) -> f64 { self as f64 }
            #[inline(always)]
            fn from_i64(v: i64) -> Self { v as $t }
            #[inline(always)]
            fn to_i64(self) -> i64 { self as i64 }
        }
    )*};
}
element!(f32 => F32, f64 => F64, u8 => U8, i32 => I32, i8 => I8, i64 => I64);

macro_rules! element_half {
    ($($t:ty => $d:ident),*) => {$(
        impl Element for $t {
            const DTYPE: DType = DType::$d;
            #[inline(always)]
            fn from_f64(v: f64) -> Self { <$t>::from_f64(v) }
            #[inline(always)]
            fn to_f64(self) -> f64 { f64::from(self.to_f32()) }
            #[inline(always)]
            fn from_i64(v: i64) -> Self { <$t>::from_f64(v as f64) }
            #[inline(always)]
            fn to_i64(self) -> i64 { self.to_f32() as i64 }
        }
    )*};
}
element_half!(half::f16 => F16, half::bf16 => BF16);

/// One truth value in a byte. Zero is false, anything else is true.
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub struct Bool(pub u8);

impl PartialEq for Bool {
    fn eq(&self, other: &Self) -> bool {
        (self.0 != 0) == (other.0 != 0)
    }
}

impl PartialOrd for Bool {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.0 != 0).partial_cmp(&(other.0 != 0))
    }
}

impl Element for Bool {
    const DTYPE: DType = DType::Bool;
    #[inline(always)]
    fn from_f64(v: f64) -> Self {
        Bool(u8::from(v != 0.0))
    }
    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(u8::from(self.0 != 0))
    }
    #[inline(always)]
    fn from_i64(v: i64) -> Self {
        Bool(u8::from(v != 0))
    }
    #[inline(always)]
    fn to_i64(self) -> i64 {
        i64::from(self.0 != 0)
    }
}

/// Runs a block with `$T` standing for the Rust type of a dtype: `with_dtype!(d, T => f::<T>(x))`.
/// The second form takes only the dtypes listed and gives an error for others.
#[macro_export]
macro_rules! with_dtype {
    ($dtype:expr, $T:ident => $body:expr) => {
        $crate::with_dtype!(@all $dtype, $T => $body, F32 f32, F64 f64, F16 half::f16, BF16 half::bf16,
            I64 i64, I32 i32, I8 i8, U8 u8, Bool $crate::dtype::Bool)
    };
    (@all $dtype:expr, $T:ident => $body:expr, $($d:ident $t:ty),*) => {
        match $dtype { $($crate::dtype::DType::$d => { #[allow(dead_code)] type $T = $t; $body })* }
    };
    ($dtype:expr, [$($d:ident $t:ty),*], $T:ident => $body:expr) => {
        match $dtype {
            $($crate::dtype::DType::$d => { #[allow(dead_code)] type $T = $t; $body })*
            #[allow(unreachable_patterns)]
            other => Err($crate::err!(Internal, "no kernel for dtype {other}")),
        }
    };
}
