//! Conversion to other dtypes.

use crate::op::pointwise::convert;
use crate::ops::family::prelude::*;

fn conversion() -> Option<Pointwise> {
    Some(pointwise!(Arith, |x| x))
}

/// The elements in another dtype. Floating-point numbers lose their fraction in integers, and integers that do not
/// fit wrap around; what is not 0 is true.
#[derive(Attrs, Clone, Debug)]
pub struct Cast {
    /// The dtype.
    #[attr(id = 1)]
    pub dtype: DType,
}

impl Operator for Cast {
    fn meta() -> Meta {
        Meta::new("Cast", [Input::new("data", "The array.")])
            .aliases(&["_npi_cast", "_npx_cast", "cast"])
            .dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let values = [-1.5, 2.75, 300.0, 0.0, -130.0];
        let from = |d: DType| {
            let to = if d.is_float() { DType::U8 } else { DType::F32 };
            let s = Sample::new(d.name())
                .values(&[5], if d.is_float() { &values } else { &[1.0, 0.0, 7.0, 100.0, 2.0] });
            s.of(d).attr("dtype", to).as_given()
        };
        let mut samples: Vec<Sample> =
            DType::ALL.into_iter().filter(|d| *d != DType::BF16).map(from).collect();
        samples.extend([
            Sample::new("to float64 and back").input(&[3, 5]).attr("dtype", DType::F64),
            Sample::new("to float16").input(&[7]).attr("dtype", DType::F16).no_finite_differences(),
            Sample::new("integers to int8").ints(&[4, 3], 0, 100).attr("dtype", DType::I8).int_dtypes(),
            Sample::new("truth values to integers").ints(&[5], 0, 2).attr("dtype", DType::I32).bool_dtype(),
            Sample::new("to truth values")
                .grid(&[3, 5], -0.125, 0.125)
                .attr("dtype", DType::Bool)
                .no_gradient(),
            Sample::new("no dtype").input(&[2]).fails(ErrorCode::InvalidValue),
            Sample::new("an unknown dtype").input(&[2]).attr("dtype", "float31").fails(ErrorCode::DType),
        ]);
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.set_output(0, self.dtype)
    }
    fn pointwise(&self) -> Option<Pointwise> {
        conversion()
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(CastLike, &[b.input(0)]));
        Ok(())
    }
}

/// The elements of `data` in the dtype of `like`.
#[derive(Attrs, Clone, Debug)]
pub struct CastLike;

impl Operator for CastLike {
    fn meta() -> Meta {
        let inputs =
            [Input::new("data", "The array."), Input::new("like", "The dtype to take.").shape_only()];
        Meta::new("_cast_like", inputs).dtypes(DTypes::ALL).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("x[0].astype(x[1].dtype)");
        let pair = |s: Sample| s.oracle(numpy);
        vec![
            pair(Sample::new("a matrix").input(&[3, 5]).ints(&[1], 0, 1).of(DType::F64).no_gradient()),
            pair(Sample::new("integers").ints(&[4], 0, 9).ints(&[1], 0, 1).of(DType::F32).int_dtypes()),
            pair(Sample::new("truth values").ints(&[4], 0, 2).ints(&[1], 0, 1).of(DType::I32).bool_dtype()),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        match s.input(0).cloned() {
            Some(x) => s.set_output(0, x),
            None => Ok(()),
        }
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        match t.input(1) {
            Some(d) => t.set_output(0, d),
            None => Ok(()),
        }
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        convert(k, 0, 0)
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(CastLike, &[b.input(0)]));
        Ok(())
    }
}

/// The elements in another floating-point dtype, for training in mixed precision. Arrays of `float64` and integers
/// stay as they are.
#[derive(Attrs, Clone, Debug)]
pub struct AmpCast {
    /// The dtype.
    #[attr(id = 1)]
    pub dtype: DType,
}

/// The dtypes that mixed precision mixes.
const MIXED: DTypes = DTypes::of(&[DType::F32, DType::F16, DType::BF16]);

impl Operator for AmpCast {
    fn meta() -> Meta {
        Meta::new("amp_cast", [Input::new("data", "The array.")]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        vec![
            Sample::new("to float32")
                .input(&[3, 5])
                .attr("dtype", DType::F32)
                .no_finite_differences()
                .oracle(Oracle::MxNetSingle),
            Sample::new("integers stay")
                .ints(&[4], 0, 9)
                .attr("dtype", DType::F16)
                .int_dtypes()
                .oracle(Oracle::NumPy("x[0]")),
            Sample::new("no dtype").input(&[2]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.all_same()
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        match t.input(0) {
            Some(d) if MIXED.contains(d) => t.set_output(0, self.dtype),
            _ => t.same(&[0]),
        }
    }
    fn pointwise(&self) -> Option<Pointwise> {
        conversion()
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        b.set_grad(0, b.out_grad(0).apply(CastLike, &[b.input(0)]));
        Ok(())
    }
}

/// Several arrays in the widest of their floating-point dtypes, for training in mixed precision.
#[derive(Attrs, Clone, Debug)]
pub struct AmpMulticast {
    /// Number of arrays.
    #[attr(id = 1, min = 1)]
    pub num_outputs: i64,
    /// Take the narrowest dtype instead.
    #[attr(id = 2, default = false)]
    pub cast_narrow: bool,
}

impl Operator for AmpMulticast {
    fn meta() -> Meta {
        Meta::new("amp_multicast", [Input::new("data", "The arrays.").counted("num_outputs", &["data_"])])
            .dtypes(DTypes::FLOAT)
    }
    fn samples() -> Vec<Sample> {
        let wide = Oracle::NumPy("[a.astype('float64') for a in x]");
        vec![
            Sample::new("to float64")
                .input(&[3])
                .input(&[2, 2])
                .of(DType::F64)
                .attr("num_outputs", 2)
                .no_gradient()
                .oracle(wide),
            Sample::new("to float16")
                .input(&[3])
                .input(&[2, 2])
                .of(DType::F16)
                .attr("num_outputs", 2)
                .attr("cast_narrow", true)
                .no_gradient()
                .oracle(wide),
            Sample::new("a missing array").input(&[3]).attr("num_outputs", 2).fails(ErrorCode::InvalidValue),
        ]
    }
    fn num_inputs(&self) -> Option<usize> {
        Some(self.num_outputs as usize)
    }
    fn num_outputs(&self) -> usize {
        self.num_outputs as usize
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        for i in 0..s.num_inputs() {
            if let Some(x) = s.input(i).cloned() {
                s.set_output(i, x)?;
            }
        }
        Ok(())
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        let n = t.num_inputs();
        (0..n).try_for_each(|i| t.require(i, DTypes::FLOAT))?;
        let Some(dtypes) = (0..n).map(|i| t.input(i)).collect::<Option<Vec<DType>>>() else { return Ok(()) };
        // float16 and bfloat16 are equally wide; the first one given counts.
        let common = if self.cast_narrow {
            dtypes.into_iter().min_by_key(|d| d.size())
        } else {
            dtypes.into_iter().rev().max_by_key(|d| d.size())
        };
        let Some(common) = common else { return Ok(()) };
        (0..n).try_for_each(|i| t.set_output(i, common))
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        (0..k.num_inputs()).try_for_each(|i| convert(k, i, i))
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        for i in 0..b.num_inputs() {
            b.set_grad(i, b.out_grad(i).apply(CastLike, &[b.input(i)]));
        }
        Ok(())
    }
}
