//! Random integers.

use super::family::{draws, output_dtype, require_dtype};
use crate::device::Device;
use crate::ops::family::prelude::*;
use crate::rng;

/// Random integers that are equally likely from `low` to below `high`.
#[derive(Attrs, Clone, Debug)]
pub struct RandomRandint {
    /// The smallest number that is drawn.
    #[attr(id = 4)]
    pub low: i64,
    /// The bound that all numbers are below.
    #[attr(id = 5)]
    pub high: i64,
    /// The shape; that of `out` if absent.
    #[attr(id = 1)]
    pub shape: Option<Shape>,
    /// The device; the current one if empty.
    #[attr(id = 2, default = "")]
    pub ctx: String,
    /// `int32` or `int64`; that of `out` or `int32` if absent.
    #[attr(id = 3)]
    pub dtype: Option<DType>,
}

const ALLOWED: DTypes = DTypes::of(&[DType::I32, DType::I64]);

impl Operator for RandomRandint {
    fn meta() -> Meta {
        Meta::new("_random_randint", []).aliases(&["_npi_random_randint", "random_randint"]).dtypes(ALLOWED)
    }
    fn samples() -> Vec<Sample> {
        let sample = |name, low: i64, high: i64| {
            Sample::new(name)
                .as_given()
                .oracle(Oracle::Run)
                .attr("shape", [3, 5])
                .attr("low", low)
                .attr("high", high)
        };
        vec![
            sample("int32", -3, 4).attr("dtype", DType::I32),
            sample("int64", -(1 << 40), 1 << 40).attr("dtype", DType::I64),
            sample("nothing to draw", 2, 2).fails(ErrorCode::InvalidValue),
            sample("too large for the dtype", 0, 1 << 40).fails(ErrorCode::InvalidValue),
            sample("a floating-point dtype", 0, 4).attr("dtype", DType::F32).fails(ErrorCode::DType),
            Sample::new("no bounds").attr("shape", [2]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn device(&self) -> Option<Device> {
        super::device_of(&self.ctx)
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        self.shape.clone().map_or(Ok(()), |shape| s.set_output(0, shape))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        require_dtype(self.dtype, ALLOWED)?;
        output_dtype(t, self.dtype, DType::I32)?;
        require_dtype(t.output(0), ALLOWED)?;
        if t.output(0) == Some(DType::I32) {
            for (name, v) in [("low", self.low), ("high", self.high)] {
                i32::try_from(v).map_err(|_| err!(InvalidValue, "{v} is no int32").about(name))?;
            }
        }
        Ok(())
    }
    fn check(&self, _s: &ShapeInfer) -> Result<()> {
        super::check_device(&self.ctx)?;
        if self.low >= self.high {
            return Err(
                err!(InvalidValue, "expected less than 'high', {}, got {}", self.high, self.low).about("low")
            );
        }
        Ok(())
    }
    fn draws(&self, s: &ShapeInfer, _training: bool) -> u64 {
        draws(s)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        match k.out_dtype(0) {
            DType::I32 => rng::randint::<i32>(k.random, k.output(0), self.low as i32, self.high as i32),
            _ => rng::randint::<i64>(k.random, k.output(0), self.low, self.high),
        }
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
