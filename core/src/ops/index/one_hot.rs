//! One-hot vectors.

use crate::ops::family::prelude::*;

/// For each index a vector with one value at the index and another elsewhere. An index beyond the vector gives one
/// without the former.
#[derive(Attrs, Clone, Debug)]
pub struct OneHot {
    /// Length of the vectors.
    #[attr(id = 1, min = 0)]
    pub depth: i64,
    /// The value at the index.
    #[attr(id = 2, default = 1.0)]
    pub on_value: f64,
    /// The value elsewhere.
    #[attr(id = 3, default = 0.0)]
    pub off_value: f64,
    /// Dtype of the result.
    #[attr(id = 4, default = DType::F32)]
    pub dtype: DType,
}

impl Operator for OneHot {
    fn meta() -> Meta {
        let inputs = [Input::new("indices", "The indices.")];
        Meta::new("one_hot", inputs).aliases(&["_npx_one_hot"]).dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let of = |name| {
            Sample::new(name).values(&[2, 2], &[0.0, 2.0, 1.0, 3.0]).attr("depth", 3).no_finite_differences()
        };
        vec![
            of("four indices, one beyond"),
            of("other values").attr("on_value", 2.5).attr("off_value", -1.0),
            of("integers").int_dtypes(),
            of("another dtype").of(DType::I32).attr("dtype", DType::I64).as_given(),
            Sample::new("fractions are dropped")
                .values(&[2], &[1.75, -1.0])
                .attr("depth", 3)
                .no_finite_differences(),
            Sample::new("no depth").input(&[2]).fails(ErrorCode::InvalidValue),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        out.push(self.depth);
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.require(0, DTypes::ALL)?;
        t.set_output(0, self.dtype)
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let (indices, depth) = (k.input_i64(0), self.depth as usize);
        with_dtype!(self.dtype, T => {
            let out = k.output::<T>(0);
            out.fill(T::from_f64(self.off_value));
            for (row, index) in indices.iter().enumerate() {
                if (0..self.depth).contains(index) {
                    out[row * depth + *index as usize] = T::from_f64(self.on_value);
                }
            }
        });
        Ok(())
    }
    fn gradient(&self, _b: &Builder) -> Result<()> {
        Ok(())
    }
}
