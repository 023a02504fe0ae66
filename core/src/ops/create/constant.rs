//! Arrays of one value.

use super::{check_device, device_of};
use crate::device::Device;
use crate::ops::family::prelude::*;

/// Makes an operator that fills a new array with a constant.
macro_rules! constant {
    ($(#[doc = $doc:literal])* $op:ident = $name:literal $(aliases [$($alias:literal),*])?, $($value:tt)*) => {
        $(#[doc = $doc])*
        #[derive(Attrs, Clone, Debug)]
        pub struct $op {
            /// The shape.
            #[attr(id = 1, default = Shape::scalar())]
            pub shape: Shape,
            /// The device; the current one if empty.
            #[attr(id = 2, default = "")]
            pub ctx: String,
            /// The dtype.
            #[attr(id = 3, default = DType::F32)]
            pub dtype: DType,
            $($value)*
        }
        impl Operator for $op {
            fn meta() -> Meta {
                Meta::new($name, [])$(.aliases(&[$($alias),*]))?.dtypes(DTypes::ALL)
            }
            fn samples() -> Vec<Sample> {
                let sample = |name| Sample::new(name).attr("shape", [2, 3]).as_given();
                let mut bad = Sample::new("a negative size").attr("shape", [2, -3]).fails(ErrorCode::Shape);
                let mut samples: Vec<Sample> = DType::ALL
                    .into_iter()
                    .map(|d| sample(d.name()).attr("dtype", d).oracle(Oracle::NumPy(Self::NUMPY)))
                    .collect();
                if Self::NUMPY.contains("value") {
                    samples = samples.into_iter().map(|s| s.attr("value", 1.0)).collect();
                    bad = bad.attr("value", 1.0);
                    samples.push(Sample::new("a value that is no number").attr("value", "x").fails(ErrorCode::InvalidType));
                }
                samples.push(bad);
                samples
            }
            fn device(&self) -> Option<Device> {
                device_of(&self.ctx)
            }
            fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
                s.set_output(0, self.shape.clone())
            }
            fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
                t.set_output(0, self.dtype)
            }
            fn check(&self, _s: &ShapeInfer) -> Result<()> {
                check_device(&self.ctx)?;
                self.shape.checked_len().map(drop).map_err(|e| e.about("shape"))
            }
            fn forward(&self, k: &mut Kernel) -> Result<()> {
                let value = self.constant();
                with_dtype!(self.dtype, T => k.output::<T>(0).fill(T::from_f64(value)));
                Ok(())
            }
            fn gradient(&self, _b: &Builder) -> Result<()> {
                Ok(())
            }
        }
    };
}

constant! {
    /// An array of zeros.
    Zeros = "_zeros",
}
impl Zeros {
    const NUMPY: &'static str = "np.zeros(attrs['shape'])";
    fn constant(&self) -> f64 {
        0.0
    }
}

constant! {
    /// An array of ones.
    Ones = "_ones",
}
impl Ones {
    const NUMPY: &'static str = "np.ones(attrs['shape'])";
    fn constant(&self) -> f64 {
        1.0
    }
}

constant! {
    /// An array whose elements are all one value.
    Full = "_full" aliases ["_npi_full"],
    /// The value.
    #[attr(id = 4)]
    pub value: f64,
}
impl Full {
    const NUMPY: &'static str = "np.full(attrs['shape'], attrs['value'])";
    fn constant(&self) -> f64 {
        self.value
    }
}

/// An array of zeros whose dtype is given by its number; `float32` without one.
#[derive(Attrs, Clone, Debug)]
pub struct ZerosWithoutDType {
    /// The shape.
    #[attr(id = 1, default = Shape::scalar())]
    pub shape: Shape,
    /// The device; the current one if empty.
    #[attr(id = 2, default = "")]
    pub ctx: String,
    /// The number that MXNet gives the dtype, or -1.
    #[attr(id = 3, default = -1)]
    pub dtype: i64,
}

impl ZerosWithoutDType {
    fn dtype(&self) -> Result<DType> {
        if self.dtype == -1 {
            return Ok(DType::F32);
        }
        let code = i32::try_from(self.dtype).unwrap_or(-1);
        DType::from_code(code).map_err(|e| e.about("dtype"))
    }
}

impl Operator for ZerosWithoutDType {
    fn meta() -> Meta {
        Meta::new("_zeros_without_dtype", []).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let sample = |d: DType| {
            let s = Sample::new(d.name()).attr("shape", [2, 3]).attr("dtype", d as i64).as_given();
            s.oracle(Oracle::NumPy("np.zeros(attrs['shape'])"))
        };
        let mut samples: Vec<Sample> = DType::ALL.into_iter().map(sample).collect();
        samples.push(Sample::new("an unknown dtype").attr("dtype", 99).fails(ErrorCode::DType));
        samples
    }
    fn device(&self) -> Option<Device> {
        device_of(&self.ctx)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_output(0, self.shape.clone())
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, self.dtype()?)
    }
    fn check(&self, _s: &ShapeInfer) -> Result<()> {
        check_device(&self.ctx)?;
        self.shape.checked_len().map(drop).map_err(|e| e.about("shape"))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        with_dtype!(k.out_dtype(0), T => k.output::<T>(0).fill(T::from_f64(0.0)));
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
