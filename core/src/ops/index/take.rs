//! Rows picked by their numbers, and embeddings.

use super::{Beyond, places};
use crate::kernels::index::{gather, scatter_add};
use crate::ops::family::prelude::*;
use crate::ops::matrix::moving_samples;

/// What an index beyond the axis means.
#[derive(AttrEnum, Clone, Copy, Debug, PartialEq)]
pub enum TakeMode {
    /// The nearest place.
    Clip,
    /// An error.
    Raise,
    /// The place that many times round.
    Wrap,
}

impl TakeMode {
    fn beyond(self) -> Beyond {
        match self {
            TakeMode::Clip => Beyond::Clip,
            TakeMode::Raise => Beyond::Raise,
            TakeMode::Wrap => Beyond::Wrap,
        }
    }
}

/// The slices of an array along an axis that have these indices.
///
/// The result has the axes of `indices` in the place of the axis.
#[derive(Attrs, Clone, Debug)]
pub struct Take {
    /// The axis.
    #[attr(id = 1, default = 0)]
    pub axis: i64,
    /// What an index beyond the axis means.
    #[attr(id = 2, default = TakeMode::Clip)]
    pub mode: TakeMode,
}

/// Shape of an array of shape `x` with the axes of `index` in the place of `axis`.
fn taken(x: &Shape, axis: usize, index: &Shape) -> Shape {
    x[..axis].iter().chain(index.iter()).chain(&x[axis + 1..]).copied().collect()
}

impl Operator for Take {
    fn meta() -> Meta {
        let inputs = [Input::new("a", "The array."), Input::new("indices", "The indices, of any dtype.")];
        Meta::new("take", inputs).aliases(&["_npi_take"]).dtypes(DTypes::ALL)
    }
    fn samples() -> Vec<Sample> {
        let at = |name, shape: &[i64], indices: &[f64]| {
            Sample::new(name).input(&[3, 4, 2]).values(shape, indices).of(DType::I32)
        };
        let mut samples = vec![
            at("rows", &[2], &[2.0, 0.0]),
            at("two axes of indices", &[2, 2], &[2.0, 0.0, 1.0, 1.0]),
            at("another axis", &[3], &[3.0, 0.0, 3.0]).attr("axis", 1),
            at("the last axis", &[3], &[1.0, 0.0, 1.0]).attr("axis", -1),
            at("beyond the axis, cut off", &[2], &[-5.0, 7.0]),
            at("beyond the axis, wrapped", &[3], &[-1.0, 4.0, -4.0]).attr("mode", "wrap"),
            Sample::new("fractions are dropped").input(&[3, 2]).values(&[2], &[1.75, 0.5]).of(DType::F32),
            at("none", &[0], &[]).no_gradient().oracle(Oracle::NumPy("x[0][x[1]]")),
        ];
        let rows = |s: Sample| s.values(&[2], &[1.0, 0.0]).of(DType::I64);
        samples.extend(moving_samples(&[2, 3], rows, "x[0][::-1]"));
        samples.push(at("beyond the axis", &[1], &[3.0]).attr("mode", "raise").fails(ErrorCode::Index));
        samples.push(at("an axis too many", &[1], &[0.0]).attr("axis", 3).fails(ErrorCode::Index));
        samples
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        let (Some(x), Some(index)) = (s.input(0), s.input(1)) else { return Ok(()) };
        let out = taken(x, x.axis(self.axis)?, index);
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let around = k.shape(0).split_at_axis(k.shape(0).axis(self.axis)?);
        let index = places(k, 1, around.1, self.mode.beyond())?;
        with_word!(k.dtype(0), W => gather(k.input_words::<W>(0), around, &index, k.output_words::<W>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = TakeSum { axis: self.axis, mode: self.mode };
        b.set_grad(0, b.out_grad(0).apply(back, &[b.input(1), b.input(0)]));
        Ok(())
    }
}

/// For each slice of `like` along an axis the sum of the slices of `data` that were taken from it: the gradient of
/// `take`.
#[derive(Attrs, Clone, Debug)]
pub struct TakeSum {
    /// The axis.
    #[attr(id = 1, default = 0)]
    pub axis: i64,
    /// What an index beyond the axis means.
    #[attr(id = 2, default = TakeMode::Clip)]
    pub mode: TakeMode,
}

impl Operator for TakeSum {
    fn meta() -> Meta {
        let inputs = [
            Input::new("data", "The slices."),
            Input::new("indices", "Where they belong."),
            Input::new("like", "The shape of the result.").shape_only(),
        ];
        Meta::new("_take_sum", inputs).dtypes(DTypes::NUMERIC).internal()
    }
    fn samples() -> Vec<Sample> {
        let numpy = Oracle::NumPy("np.stack([x[0][1], x[0][0] + x[0][2], 0 * x[0][0]])");
        let to =
            |s: Sample| s.values(&[3], &[1.0, 0.0, 1.0]).of(DType::I32).ints(&[3, 2], 0, 1).oracle(numpy);
        vec![
            to(Sample::new("rows").input(&[3, 2])).no_gradient(),
            to(Sample::new("integers").ints(&[3, 2], 0, 9)).int_dtypes(),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.input(2).cloned().map_or(Ok(()), |like| s.set_output(0, like))
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        t.same(&[0])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let around = k.out_shape(0).split_at_axis(k.out_shape(0).axis(self.axis)?);
        let index = places(k, 1, around.1, self.mode.beyond())?;
        with_dtype!(k.dtype(0), T => scatter_add(k.input::<T>(0), around, &index, k.output::<T>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let take = Take { axis: self.axis, mode: self.mode };
        b.set_grad(0, b.out_grad(0).apply(take, &[b.input(1)]));
        Ok(())
    }
}

/// The rows of a table that have these numbers: words to vectors. Numbers beyond the table mean its nearest row.
#[derive(Attrs, Clone, Debug)]
pub struct Embedding {
    /// Number of rows of the table.
    #[attr(id = 1, min = 1)]
    pub input_dim: i64,
    /// Length of the rows.
    #[attr(id = 2, min = 1)]
    pub output_dim: i64,
    /// Dtype of the table, where nothing else says it.
    #[attr(id = 3, default = DType::F32)]
    pub dtype: DType,
    /// Accepted for MXNet's sake: the gradient is dense.
    #[attr(id = 4, default = false)]
    pub sparse_grad: bool,
}

impl Operator for Embedding {
    fn meta() -> Meta {
        let inputs = [Input::new("data", "The numbers, of any dtype."), Input::new("weight", "The table.")];
        Meta::new("Embedding", inputs)
            .aliases(&["_npx_embedding", "_sparse_Embedding"])
            .dtypes(DTypes::NUMERIC)
    }
    fn samples() -> Vec<Sample> {
        let words = |name, numbers: &[f64]| {
            let s = Sample::new(name).values(&[2, 2], numbers).of(DType::I32);
            s.attr("input_dim", 4).attr("output_dim", 3)
        };
        vec![
            words("words", &[0.0, 3.0, 1.0, 3.0]).input(&[4, 3]),
            words("beyond the table", &[-2.0, 9.0, 1.0, 1.0]).input(&[4, 3]),
            Sample::new("numbers as floats")
                .values(&[2], &[2.0, 1.0])
                .of(DType::F32)
                .input(&[3, 2])
                .attr("input_dim", 3)
                .attr("output_dim", 2)
                .attr("sparse_grad", false)
                .no_gradient(),
            words("integers", &[0.0, 3.0, 1.0, 3.0]).ints(&[4, 3], 0, 9).int_dtypes(),
            words("another table", &[0.0, 3.0, 1.0, 3.0]).input(&[4, 2]).fails(ErrorCode::Shape),
        ]
    }
    fn infer_shape(&self, s: &mut ShapeInfer) -> Result<()> {
        s.set_input(1, [self.input_dim, self.output_dim].into())?;
        let Some(mut out) = s.input(0).cloned() else { return Ok(()) };
        out.push(self.output_dim);
        s.set_output(0, out)
    }
    fn infer_dtype(&self, t: &mut DTypeInfer) -> Result<()> {
        if t.input(1).is_none() {
            t.set_input(1, t.output(0).unwrap_or(self.dtype))?;
        }
        t.same(&[1])
    }
    fn forward(&self, k: &mut Kernel) -> Result<()> {
        let around = k.shape(1).split_at_axis(0);
        let index = places(k, 0, around.1, Beyond::Clip)?;
        with_word!(k.dtype(1), W => gather(k.input_words::<W>(1), around, &index, k.output_words::<W>(0)));
        Ok(())
    }
    fn gradient(&self, b: &Builder) -> Result<()> {
        let back = TakeSum { axis: 0, mode: TakeMode::Clip };
        b.set_grad(1, b.out_grad(0).apply(back, &[b.input(0), b.input(1)]));
        Ok(())
    }
}
